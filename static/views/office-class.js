import { focusOn } from "../js/focus.js";
import { html, useState } from "../lib/html.js";
import { Field } from "./field.js";
import { Loading, Trouble } from "./frame.js";
import { useLoad } from "./load.js";
import { PersonSearch } from "./office-search.js";
import { Undo } from "./undo.js";

/** One class: its name, and who is in it. */
export function Class({ api, place, retitle }) {
  const path = `/classes/${encodeURIComponent(place.class)}`;
  const load = useLoad(() => api.get(path).then((found) => {
    retitle(found.name);
    return found;
  }), place.class);
  const [removed, setRemoved] = useState(null);
  const [trouble, setTrouble] = useState(null);
  if (load.error) return html`<${Trouble} title="We can't show this class" text=${load.error.message} onRetry=${load.again}><a class="button" href="/admin/classes">Classes</a><//>`;
  if (!load.value) return html`<${Loading} what="Fetching the class" />`;
  const one = load.value;
  const attempt = (work) => work.then((next) => {
    load.set(next);
    retitle(next.name);
    setTrouble(null);
  }, (error) => setTrouble(error.message));
  const add = ({ id }, role) => attempt(api.put(`${path}/members/${id}`, { role }));
  const remove = (member) => attempt(api.remove(`${path}/members/${member.id}`)).then(() => setRemoved(member));
  const back = () => add(removed, removed.role).then(() => {
    setRemoved(null);
    focusOn(`${removed.role}-title`);
  });
  return html`<div><p class="back"><a href="/admin/classes">Classes</a></p>
    <${Head} one=${one} onChange=${(changes) => attempt(api.patch(path, changes))} />
    ${trouble && html`<p class="form-trouble" role="alert">${trouble}</p>`}
    ${removed && html`<${Undo} key=${removed.id} onUndo=${back} onClose=${() => setRemoved(null)}>${removed.name} is no longer in ${one.name}.<//>`}
    <div class="two-columns">
      <${Members} api=${api} one=${one} role="student" title="Students" label="Add a student" onAdd=${add} onRemove=${remove}
        empty="No students yet. Search for them here; each is added at once." />
      <${Members} api=${api} one=${one} role="instructor" title="Teachers" label="Add a teacher" onAdd=${add} onRemove=${remove}
        empty="No teachers yet." />
    </div></div>`;
}

function Head({ one, onChange }) {
  const [renaming, setRenaming] = useState(false);
  const [name, setName] = useState(one.name);
  const close = () => {
    setRenaming(false);
    focusOn("class-title");
  };
  const rename = (event) => {
    event.preventDefault();
    if (name.trim() && name.trim() !== one.name) onChange({ name });
    close();
  };
  if (renaming) {
    return html`<div><h1 class="for-screen-reader" dir="auto">${one.name}</h1><form class="inline-form" onSubmit=${rename}>
      <${Field} id="class-name" label="Name of the class">${(control) => html`<input ...${control} dir="auto" maxlength="80" autocomplete="off" value=${name} onInput=${(event) => setName(event.target.value)} />`}<//>
      <button type="submit" class="button primary">Save</button>
      <button type="button" class="button" onClick=${close}>Leave it</button></form></div>`;
  }
  const begin = () => {
    setName(one.name);
    setRenaming(true);
    focusOn("class-name");
  };
  return html`<div><div class="page-head"><h1 dir="auto" id="class-title" tabindex="-1">${one.name}</h1>
    <div class="actions"><button type="button" class="button" onClick=${begin}>Rename</button>
      <button type="button" class="button" onClick=${() => onChange({ archived: !one.archived })}>${one.archived ? "Bring back" : "Archive"}</button></div></div>
    ${one.archived && html`<p class="note" role="status">This class is archived: it is offered nowhere, and everything is kept. “Bring back” undoes that.</p>`}</div>`;
}

function Members({ api, one, role, title, label, empty, onAdd, onRemove }) {
  const members = one.members.filter((member) => member.role === role);
  return html`<section class="card" aria-labelledby="${role}-title">
    <h2 id="${role}-title" tabindex="-1">${title} <span class="faint">${members.length}</span></h2>
    ${!one.archived && html`<${PersonSearch} api=${api} id="${role}-search" label=${label} filters=${{ role }} without=${one.members.map(({ id }) => id)}
      onChoose=${(person) => onAdd(person, role)} none="Everybody who could be is in it." />`}
    ${members.length === 0 ? html`<p class="empty">${empty}</p>` : html`<ul class="rows members">${members.map((member) => html`<li class="row" key=${member.id}>
      <a href=${`/admin/people/${member.id}`} dir="auto">${member.name}</a>
      <button type="button" class="link" onClick=${() => onRemove(member)}>Take out<span class="for-screen-reader">: ${member.name}</span></button></li>`)}</ul>`}
  </section>`;
}
