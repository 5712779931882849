import { html, useState } from "../lib/html.js";
import { Icon } from "./icons.js";

const CHOICES = [[true, "up", "It helped me"], [false, "down", "It did not help"]];

/** How did it go? One tap says it, a second may say why; said again, the last word counts. */
export function Feedback({ api, session, given = null }) {
  const [helpful, setHelpful] = useState(given?.helpful ?? null);
  const [comment, setComment] = useState(given?.comment ?? "");
  const [told, setTold] = useState("");
  const [trouble, setTrouble] = useState(null);
  const say = async (choice, thanks) => {
    const before = helpful;
    setHelpful(choice);
    setTrouble(null);
    try {
      await api.put(`/sessions/${session}/feedback`, { helpful: choice, ...(comment.trim() && { comment: comment.trim() }) });
      setTold(thanks);
    } catch (error) {
      setHelpful(before);
      setTold("");
      setTrouble(`That is not saved yet. ${error.message}`);
    }
  };
  const send = (event) => {
    event.preventDefault();
    say(helpful, "Thank you. Your teacher and tutor can read it.");
  };
  return html`<section class="feedback" aria-labelledby="feedback-title">
    <h2 id="feedback-title">How did it go?</h2>
    <div class="feedback-choices">${CHOICES.map(([choice, icon, words]) => html`<button type="button" key=${icon} class="button feedback-choice"
      aria-pressed=${helpful === choice} onClick=${() => say(choice, "Thank you.")}><${Icon} name=${icon} size=${28} /> ${words}</button>`)}</div>
    ${helpful !== null && html`<form class="feedback-more" onSubmit=${send}>
      <label for="feedback-comment">Do you want to say more? You don't have to.</label>
      <textarea id="feedback-comment" rows="2" maxlength="2000" dir="auto" value=${comment} onInput=${(event) => setComment(event.target.value)}></textarea>
      <button type="submit" class="button" aria-disabled=${comment.trim() === ""}>Send</button>
    </form>`}
    ${trouble && html`<p role="alert" class="note">${trouble}</p>`}
    <p role="status" class="feedback-told">${told}</p>
  </section>`;
}
