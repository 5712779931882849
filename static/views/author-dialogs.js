import { html, useEffect, useState } from "../lib/html.js";
import { Findings } from "./author-brief.js";
import { Dialog } from "./dialog.js";
import { Field } from "./field.js";

/** Publishing: first everything is saved and looked at once more, then it is a version for good. */
export function Publish({ desk, api, lesson, title, onClose, onPublished, onGo }) {
  const [stage, setStage] = useState("saving"); // saving | unsaved | findings | ready | sending
  const [note, setNote] = useState("");
  const [trouble, setTrouble] = useState(null);
  const [findings, setFindings] = useState([]);
  useEffect(() => void prepare(), []);

  async function prepare() {
    setStage("saving");
    const whole = await desk.flush();
    await desk.look();
    await desk.checkNow();
    const { value, error } = desk.check.state;
    const errors = (value?.findings ?? []).filter(({ severity }) => severity === "error");
    setFindings(errors);
    if (error) setTrouble(error.message);
    setStage(!whole || error ? "unsaved" : errors.length > 0 ? "findings" : "ready");
  }

  async function publish(event) {
    event.preventDefault();
    if (stage === "sending") return;
    setStage("sending");
    setTrouble(null);
    try {
      onPublished(await api.post(`/school/lessons/${lesson.id}/publish`, { revision: desk.state.draft.revision, note: note.trim() }));
    } catch (error) {
      const found = error.body?.findings;
      if (found) setFindings(found.filter(({ severity }) => severity === "error"));
      setTrouble(error.message);
      setStage(found ? "findings" : "ready");
      if (error.code === "draft_moved") desk.look();
    }
  }

  const go = (path) => {
    onClose();
    onGo(path);
  };
  const parts = {
    saving: () => html`<p role="status">Saving what you typed, and reading it once more…</p>`,
    unsaved: () => html`<p role="alert">Not everything is saved yet, so it can't be published. Your words are safe.
        ${trouble ? ` ${trouble}` : " Look at the top of the page, decide what needs deciding, and come back."}</p>
      <div class="actions"><button type="button" class="button primary" onClick=${prepare}>Try again</button></div>`,
    findings: () => html`<p role="alert">${findings.length === 1 ? "One thing is" : `${findings.length} things are`} to mend first.</p>
      <${Findings} findings=${findings} onGo=${go} />`,
    ready: () => html`<form onSubmit=${publish}>
      <p>“<span dir="auto">${title}</span>” becomes ${lesson.state === "draft" ? "version 1" : "a new version"}, as it stands now.
        Students who are in the middle of it keep the version they began with.
        ${desk.state.draft.based_on !== null && !lesson.has_changes && html` <strong>Nothing has changed since version ${desk.state.draft.based_on}.</strong>`}</p>
      <${Field} id="note" label="What is new in it?" hint="For you and your colleagues; it may stay empty.">${(control) => html`<textarea ...${control} rows="2"
        maxlength="500" dir="auto" value=${note} onInput=${(event) => setNote(event.target.value)}></textarea>`}<//>
      ${trouble && html`<p class="form-trouble" role="alert">${trouble}</p>`}
      <div class="actions"><button type="submit" class="button primary" aria-disabled=${stage === "sending"}>${stage === "sending" ? "Publishing…" : "Publish"}</button>
        <button type="button" class="button" onClick=${onClose}>Not yet</button></div>
    </form>`,
  };
  return html`<${Dialog} title="Publish" onClose=${onClose}>${(parts[stage] ?? parts.ready)()}<//>`;
}

/** Trying the draft as a student would, in a session that counts nowhere. */
export function TryIt({ desk, api, lesson, onClose, onGo }) {
  const [trouble, setTrouble] = useState(null);
  const [findings, setFindings] = useState([]);
  const [busy, setBusy] = useState(false);
  const begin = (mode) => async () => {
    if (busy) return;
    setBusy(true);
    setTrouble(null);
    await desk.flush();
    try {
      const { address } = await api.post(`/school/lessons/${lesson.id}/try`, { mode });
      location.assign(address);
    } catch (error) {
      setFindings(error.body?.findings ?? []);
      setTrouble(error.message);
      setBusy(false);
    }
  };
  const go = (path) => {
    onClose();
    onGo(path);
  };
  return html`<${Dialog} title="Try it as a student" onClose=${onClose}>
    <p>You get the student's own page with the draft as it stands. Nothing of it counts anywhere, and it is gone after a day.</p>
    ${trouble && html`<p class="form-trouble" role="alert">${trouble}</p>`}
    ${findings.length > 0 && html`<${Findings} findings=${findings} onGo=${go} />`}
    <div class="actions">
      <button type="button" class="button primary" aria-disabled=${busy} onClick=${begin("voice")}>Try by voice</button>
      <button type="button" class="button" aria-disabled=${busy} onClick=${begin("text")}>Try by typing</button>
    </div>
    ${busy && html`<p role="status">Preparing the lesson…</p>`}
  <//>`;
}
