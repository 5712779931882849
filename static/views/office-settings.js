import { Keeping } from "../js/keeping.js";
import { html, useState } from "../lib/html.js";
import { Field } from "./field.js";
import { Loading, Trouble } from "./frame.js";
import { useLoad } from "./load.js";

const LONGEST = 4000;
const CHOICES = {
  tutors_read: { legend: "Which sessions may tutors read?", options: [
    ["assigned", "Those of the students they look after", "A tutor sees, reviews and corrects these students' sessions only. You say who looks after whom under “Tutors and students”."],
    ["school", "Those of all students", "Every tutor of the school sees, reviews and corrects everybody's sessions. Students still see who has read theirs."],
  ] },
  parents_read: { legend: "What do parents see of their children's lessons?", options: [
    ["reviewed", "What somebody has reviewed", "A tutor or teacher has been through the lesson first. Parents get the summary, the next steps and what was corrected."],
    ["all", "All of it, as soon as a lesson is over", "Summaries are made by a computer and may be wrong; parents see them before anybody has looked. They are told so."],
  ] },
};

/** Who may read what, and what every tutor is told. */
export function Settings({ api, me }) {
  const load = useLoad(() => api.get("/settings"), "settings");
  if (load.error) return html`<${Trouble} title="The settings did not load" text=${load.error.message} onRetry=${load.again}><span></span><//>`;
  if (!load.value) return html`<${Loading} what="Fetching the settings" />`;
  return html`<div><h1>Settings</h1><${Form} api=${api} me=${me} was=${load.value} onSaved=${load.set} /></div>`;
}

function Form({ api, me, was, onSaved }) {
  const keeping = new Keeping(`office ${me.id}`);
  const [value, setValue] = useState(() => ({ ...was, ...keeping.kept("settings") }));
  const [told, setTold] = useState(null);
  const [busy, setBusy] = useState(false);
  const changes = Object.fromEntries(Object.entries(value).filter(([name, now]) => now !== was[name]));
  const changed = Object.keys(changes).length > 0;
  const set = (name, now) => {
    const next = { ...value, [name]: now };
    setValue(next);
    setTold(null);
    keeping.keep("settings", next);
  };
  const back = () => {
    setValue(was);
    keeping.forget("settings");
  };
  const save = async (event) => {
    event.preventDefault();
    if (busy || !changed) return;
    setBusy(true);
    try {
      const next = await api.patch("/settings", changes);
      keeping.forget("settings");
      setValue(next);
      onSaved(next);
      setTold({ text: "Saved. It holds from now on." });
    } catch (error) {
      setTold({ alert: true, text: error.message });
    }
    setBusy(false);
  };
  return html`<form class="settings" onSubmit=${save} novalidate>
    ${Object.entries(CHOICES).map(([name, choice]) => html`<${Choice} key=${name} name=${name} ...${choice} value=${value[name]} onChange=${(now) => set(name, now)} />`)}
    <section class="card">
      <${Field} id="rules" label="The school's rules for every tutor" hint="Told to the tutor at the beginning of every lesson, below our safety rules, which nothing here can unset. Write what you would tell a new tutor: how to address students, what not to talk about, where to send them for help.">${(control) => html`<textarea ...${control} rows="7"
        maxlength=${LONGEST} dir="auto" placeholder="Call students by their first name. Do not give marks. Send questions about exams to the class teacher." value=${value.rules} onInput=${(event) => set("rules", event.target.value)}></textarea>`}<//>
      <p class="faint">${value.rules.length.toLocaleString("en")} of ${LONGEST.toLocaleString("en")} characters. Lessons that are running keep the rules they began with.</p>
    </section>
    ${told && html`<p class=${told.alert ? "form-trouble" : "told"} role=${told.alert ? "alert" : "status"}>${told.text}</p>`}
    <div class="actions save-line"><button type="submit" class="button primary" aria-disabled=${busy || !changed}>${busy ? "Saving…" : "Save the settings"}</button>
      ${changed && html`<button type="button" class="button" onClick=${back}>Back to what it was</button><span class="faint">Not saved yet.</span>`}</div>
  </form>`;
}

function Choice({ name, legend, options, value, onChange }) {
  return html`<section class="card"><fieldset class="choices"><legend>${legend}</legend>
    ${options.map(([one, words, meaning]) => html`<label class="choice" key=${one}>
      <input type="radio" name=${name} value=${one} checked=${value === one} onChange=${() => onChange(one)} />
      <span><b>${words}</b><span class="under">${meaning}</span></span></label>`)}
  </fieldset></section>`;
}
