import { ENGINES } from "../js/plan-words.js";
import { html } from "../lib/html.js";
import { Amount, Choice, Line, Lines, Words, Written } from "./author-field.js";
import { Material } from "./author-parts.js";
import { Steps } from "./author-steps.js";

const LANGUAGES = ["en", "es", "ar", "de", "fr", "hi", "it", "ja", "ko", "nl", "pl", "pt", "ro", "ru", "sv", "tr", "uk", "vi", "zh"];

const OPENING = "The tutor's first words. {{student_name}} stands for the student's first name, here and wherever the tutor speaks.";

/** The plan as a form: the lesson, its steps, and how the tutor should be. */
export function PlanForm({ pen, plan, folds, subjects }) {
  const ids = (plan.steps ?? []).map(({ id }) => id);
  const anyOpen = ids.some(folds.isOpen);
  return html`<form class="plan" onSubmit=${(event) => event.preventDefault()} novalidate aria-label="The lesson's plan">
    <section class="plan-part" aria-labelledby="about-title">
      <h2 id="about-title">The lesson</h2>
      <${Line} pen=${pen} path="title" label="Title" max=${120} />
      <div class="pair">
        <${Line} pen=${pen} path="subject" label="Subject" max=${80} list="subjects" />
        <${Line} pen=${pen} path="level" label="Level" max=${80} hint="For whom, such as Year 5." />
      </div>
      <datalist id="subjects">${subjects.map((subject) => html`<option key=${subject} value=${subject} />`)}</datalist>
      <${Choice} pen=${pen} path="language" label="Language" fallback="en" options=${languages(plan.language)} />
      <${Words} pen=${pen} path="goal" label="Goal" max=${400} hint="What a student can do after it." />
      <${Lines} pen=${pen} path="prior_knowledge" label="What students know already" hint="One thing a line." />
      <${Words} pen=${pen} path="opening" label="Opening" hint=${OPENING} />
    </section>
    <section class="plan-part" aria-labelledby="steps-title">
      <div class="part-head"><h2 id="steps-title">Steps</h2>
        ${ids.length > 1 && html`<button type="button" class="button quiet" onClick=${() => folds.all(!anyOpen, ids)}>${anyOpen ? "Fold all" : "Unfold all"}</button>`}</div>
      <${Steps} pen=${pen} plan=${plan} folds=${folds} />
    </section>
    <section class="plan-part" aria-labelledby="end-title">
      <h2 id="end-title">Closing and material</h2>
      <${Words} pen=${pen} path="closing" label="Closing" hint="The tutor's last words." />
      <${Material} pen=${pen} path="material" />
    </section>
    <section class="plan-part" aria-labelledby="voice-title">
      <h2 id="voice-title">Voice and pace</h2>
      <div class="pair">
        <${Line} pen=${pen} path="voice.name" label="Voice" max=${60} hint="Empty: the school's." />
        <${Amount} pen=${pen} path="voice.speed" label="Speed" placeholder="1" hint="1 is normal; from 0.5 to 1.5." />
      </div>
      <${Lines} pen=${pen} path="voice.rules" label="How the tutor should sound" hint="One rule a line, such as “Speak slowly”." />
      <${Amount} pen=${pen} path="patience_s" label="Patience" placeholder="0.9" hint="Seconds of silence that end an answer, from 0.2 to 10." />
      <${Engines} pen=${pen} />
    </section>
  </form>`;
}

function Engines({ pen }) {
  const chosen = pen.value("engines") ?? [];
  const toggle = (name) => {
    const next = Object.keys(ENGINES).filter((one) => (one === name ? !chosen.includes(one) : chosen.includes(one)));
    pen.type("engines", next.length > 0 ? next : null, { wait: false });
  };
  return html`<${Written} pen=${pen} path="engines" label="Tutor engines" hint="None chosen: the school's choice." group>${() => html`<div class="checks">
    ${Object.entries(ENGINES).map(([name, words]) => html`<label class="check" key=${name}><input type="checkbox" checked=${chosen.includes(name)}
      onChange=${() => toggle(name)} /> <span>${words}</span></label>`)}</div>`}<//>`;
}

function languages(current) {
  const names = new Intl.DisplayNames("en", { type: "language" });
  const nameOf = (tag) => {
    try {
      return names.of(tag);
    } catch {
      return tag;
    }
  };
  const tags = [...new Set([...LANGUAGES, ...(typeof current === "string" ? [current] : [])])];
  return tags.map((tag) => [tag, nameOf(tag)]);
}
