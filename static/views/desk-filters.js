import { VIEWS, isView, narrowing, sessionsAddress, throughView } from "../js/desk-filters.js";
import { ENDED, ENGINES, THUMBS } from "../js/session-words.js";
import { html, useEffect, useState } from "../lib/html.js";
import { Choose } from "./choose.js";
import { Field, Select } from "./field.js";

const MOST = 20;
const MORE = ["min", "max", "engine", "version"]; // behind "More filters"
const any = (words, from) => [["", words], ...Object.entries(from)];

/** What a list of sessions is narrowed to. `names` knows what the ids in the address are called. */
export function SessionFilters({ api, filters, names, versions, onFilter }) {
  const set = MORE.some((name) => filters[name] !== "");
  const [open, setOpen] = useState(set);
  const change = (name) => (value) => onFilter({ ...filters, [name]: value });
  const choose = (name) => (one) => {
    if (one) names.learn(one);
    onFilter({ ...filters, [name]: one?.id ?? "", ...(name === "lesson" && { version: "" }) });
  };
  const chosen = (id) => (id ? { id, name: names.of(id) } : null);
  const students = (search) => api.get("/people", { role: "student", search, limit: MOST })
    .then(({ items }) => items.map(({ id, name, classes }) => ({ id, name, about: classes.map((one) => one.name).join(", ") })));
  const lessons = (search) => lessonsLike(api, search);
  const select = (name, label, options) => html`<${Field} id=${name} label=${label}>${(control) => html`<${Select} ...${control} value=${filters[name]}
    options=${options} onChange=${change(name)} />`}<//>`;
  const date = (name, label) => html`<${Field} id=${name} label=${label}>${(control) => html`<${Typed} ...${control} type="date" value=${filters[name]} onGiven=${change(name)} />`}<//>`;
  const minutes = (name, label) => html`<${Field} id=${name} label=${label}>${(control) => html`<${Typed} ...${control} type="number" min="1" max="999999" step="1"
    inputmode="numeric" class="short" value=${filters[name]} onGiven=${change(name)} />`}<//>`;
  return html`<${Views} filters=${filters} />
    <form class="filters desk-filters" role="search" aria-label="Narrow the list" data-open=${open || narrowing(filters).length > 0 ? "yes" : "no"} onSubmit=${(event) => event.preventDefault()}>
      <${Choose} id="student" label="Student" any="Everyone" chosen=${chosen(filters.student)} ask=${students} onChoose=${choose("student")} />
      <${Choose} id="lesson" label="Lesson" any="Every lesson" chosen=${chosen(filters.lesson)} ask=${lessons} onChoose=${choose("lesson")} />
      ${date("from", "From")}${date("to", "Until")}
      <button type="button" class="button" aria-expanded=${open} aria-controls="more-filters" onClick=${() => setOpen(!open)}>
        ${open ? "Fewer filters" : "More filters"}</button>
      <div id="more-filters" class="filters more-filters" hidden=${!open}>
        ${filters.lesson && select("version", "Version of the lesson", [["", "Every version"], ...versions.map((one) => [String(one), `Version ${one}`])])}
        ${minutes("min", "Minutes, at least")}${minutes("max", "Minutes, at most")}
        ${select("engine", "Tutor engine", any("Every engine", { ...ENGINES, ...(filters.engine && { [filters.engine]: ENGINES[filters.engine] ?? filters.engine }) }))}
        ${select("ended", "How it ended", any("Any way", ENDED))}
        ${select("thumbs", "What the student said", any("Anything", THUMBS))}
        ${select("reviewed", "Reviewed", [["no", "Not yet"], ["yes", "Yes"], ["all", "Both"]])}
        ${select("status", "State", [["ended", "Over"], ["live", "Running"], ["all", "Both"]])}
      </div>
      ${narrowing(filters).length > 0 && html`<a class="button quiet" href=${sessionsAddress({ ...filters, student: "", lesson: "", version: "", from: "", to: "", min: "", max: "", engine: "" })}>Clear</a>`}
    </form>`;
}

/** A field whose value counts when it is left; what is being typed stays, whatever is drawn meanwhile. */
function Typed({ value, onGiven, ...rest }) {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  return html`<input ...${rest} value=${typed} onInput=${(event) => setTyped(event.target.value)} onChange=${(event) => onGiven(event.target.value)} />`;
}

function Views({ filters }) {
  return html`<nav class="views" aria-label="Lists">${VIEWS.map((view) => html`<a key=${view.key} class="view"
    href=${sessionsAddress(throughView(filters, view))} aria-current=${isView(filters, view) ? "true" : undefined}>${view.title}</a>`)}</nav>`;
}

/** Lessons by their title: for authors all of the school's, for tutors those that are published. */
async function lessonsLike(api, search) {
  try {
    const { items } = await api.get("/school/lessons", { search, limit: MOST });
    return items.map(({ id, title, level }) => ({ id, name: title, about: level }));
  } catch (error) {
    if (error.status !== 403 && error.status !== 404) throw error;
    const { items } = await api.lessons();
    const fits = ({ title }) => title.toLocaleLowerCase().includes(search.toLocaleLowerCase());
    return items.filter(fits).slice(0, MOST).map(({ id, title, level }) => ({ id, name: title, about: level }));
  }
}
