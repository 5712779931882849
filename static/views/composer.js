import { html, useRef, useState } from "../lib/html.js";

const LONGEST = 8000; // realtime.md: text of at most 8,000 characters

/** Where one types: Enter sends, Shift and Enter makes a new line. */
export function Composer({ onSend, language }) {
  const [text, setText] = useState("");
  const field = useRef(null);
  const send = (event) => {
    event?.preventDefault();
    const words = text.trim();
    if (words === "") return;
    onSend(words);
    setText("");
    field.current.focus();
  };
  const key = (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
  };
  return html`<form class="composer" onSubmit=${send}>
    <label class="for-screen-reader" for="composer">Type your answer</label>
    <textarea id="composer" rows="1" maxlength=${LONGEST} placeholder="Type here…" dir="auto" lang=${language}
      value=${text} ref=${field} onInput=${(event) => setText(event.target.value)} onKeyDown=${key}></textarea>
    <button type="submit" class="button primary">Send</button>
  </form>`;
}
