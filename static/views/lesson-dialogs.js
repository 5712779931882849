import { html, useState } from "../lib/html.js";
import { BoardContent } from "./board.js";
import { Dialog } from "./dialog.js";
import { Options } from "./lesson-options.js";
import { Readers } from "./readers.js";

/** The lesson's dialogs, by name. */
export function LessonDialog({ name, close, api, me, room, state, lesson, choose }) {
  const { board, figures, progress } = state;
  return {
    board: () => html`<${Dialog} title="Board" onClose=${close} kind="sheet">
      <${BoardContent} figures=${figures} formulas=${board} goal=${progress?.goal ?? lesson.goal} language=${lesson.language} /><//>`,
    options: () => html`<${Dialog} title="Options" onClose=${close}>
      <${Options} preferences=${me.preferences} choose=${choose} hears=${lesson.hears_speech} room=${room}
        listens=${state.microphone === "on"} /><//>`,
    ask: () => html`<${Ask} close=${close} ask=${(reason) => room.askPerson(reason)} />`,
    finish: () => html`<${Finish} close=${close} title=${lesson.title} finish=${() => room.finish()} />`,
    readers: () => html`<${Dialog} title="Who can read this lesson" onClose=${close}>
      <${Readers} api=${api} session=${room.sessionId} sentence=${lesson.readers} locale=${me.locale} /><//>`,
  }[name]();
}

function Ask({ close, ask }) {
  const [reason, setReason] = useState("");
  const send = (event) => {
    event.preventDefault();
    ask(reason.trim());
    close();
  };
  return html`<${Dialog} title="Ask a person" onClose=${close}>
    <form onSubmit=${send}>
      <p>We tell your school's tutors that you would like one of them here. You can go on meanwhile.</p>
      <label for="ask-reason">What would you like help with? <span class="faint">(if you want to say)</span></label>
      <textarea id="ask-reason" rows="3" maxlength="500" dir="auto" value=${reason}
        onInput=${(event) => setReason(event.target.value)}></textarea>
      <div class="actions"><button type="submit" class="button primary">Ask a person</button></div>
    </form>
  <//>`;
}

function Finish({ close, title, finish }) {
  const done = () => {
    close();
    finish();
  };
  return html`<${Dialog} title="Finish this lesson?" onClose=${close}>
    <p>This ends “<span dir="auto">${title}</span>” and writes your summary. To come back later instead, just
      close the page: your place is kept.</p>
    <div class="actions">
      <button type="button" class="button primary" onClick=${done}>Finish the lesson</button>
      <button type="button" class="button" onClick=${close}>Go on learning</button>
    </div>
  <//>`;
}
