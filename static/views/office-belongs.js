import { focusOn } from "../js/focus.js";
import { html, useState } from "../lib/html.js";
import { PersonSearch } from "./office-search.js";
import { Undo } from "./undo.js";

/** Who belongs to somebody: children and parents, tutors and students. */
export function Belongs({ api, person, onChanged }) {
  const { roles, children, guardians, tutors, students } = person;
  const is = (role) => roles.includes(role);
  const child = (parent, student) => `/people/${parent}/children/${student}`;
  return html`<div class="person-side">
    ${(is("parent") || children.length > 0) && html`<${Family} api=${api} key="children" title="Children" id="children" people=${children}
      empty="No children yet. Parents see the lessons of their children." label="Add a child" role="student" path=${(one) => child(person.id, one.id)}
      removed=${(one) => `${one.name} is no longer a child of ${person.name}.`} can=${is("parent")} without=${person.id} onChanged=${onChanged} />`}
    ${(is("student") || guardians.length > 0) && html`<${Family} api=${api} key="guardians" title="Parents" id="guardians" people=${guardians}
      empty="No parents yet. They see what the lessons came to, once somebody has reviewed them." label="Add a parent" role="parent" path=${(one) => child(one.id, person.id)}
      removed=${(one) => `${one.name} is no longer a parent of ${person.name}.`} can=${is("student")} without=${person.id} onChanged=${onChanged} />`}
    ${(is("student") || tutors.length > 0) && html`<${Care} title="Tutors" id="tutors" people=${tutors} href=${`/admin/care?student=${person.id}`}
      empty="No tutor looks after them yet." action=${is("student") ? "Tutors of this student" : "See the assignments"} />`}
    ${(is("tutor") || students.length > 0) && html`<${Care} title="Students" id="students" people=${students} href=${`/admin/care?tutor=${person.id}`}
      empty="Looks after no student yet." action="Students of this tutor" />`}
  </div>`;
}

function Family({ api, title, id, people, empty, label, role, path, removed, can, without, onChanged }) {
  const [gone, setGone] = useState(null);
  const [adding, setAdding] = useState(false);
  const [trouble, setTrouble] = useState(null);
  const attempt = (work) => work.then(onChanged).then(() => setTrouble(null), (error) => setTrouble(error.message));
  const add = (one) => attempt(api.put(path(one)).then(() => {
    setAdding(false);
    setGone(null);
    focusOn(`${id}-search`);
  }));
  const leave = () => {
    setAdding(false);
    focusOn(`${id}-search`);
  };
  const remove = (one) => attempt(api.remove(path(one)).then(() => setGone(one)));
  return html`<section class="card" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}</h2>
    ${gone && html`<${Undo} key=${gone.id} onUndo=${() => add(gone)} onClose=${() => setGone(null)}>${removed(gone)}<//>`}
    ${people.length === 0 ? html`<p class="empty">${empty}</p>` : html`<ul class="rows">${people.map((one) => html`<li class="row" key=${one.id}>
      <a href=${`/admin/people/${one.id}`} dir="auto">${one.name}</a>
      <button type="button" class="link" onClick=${() => remove(one)}>Take away<span class="for-screen-reader">: ${one.name}</span></button></li>`)}</ul>`}
    ${can && (adding
      ? html`<${PersonSearch} api=${api} id="${id}-search" label=${label} filters=${{ role }} without=${[without, ...people.map((one) => one.id)]} onChoose=${add}
          focused none=${`There is nobody with the role ${role} yet.`} />
        <button type="button" class="button" onClick=${leave}>Leave it</button>`
      : html`<button type="button" class="button" id="${id}-search" onClick=${() => setAdding(true)}>${label}</button>`)}
    ${trouble && html`<p class="form-trouble" role="alert">${trouble}</p>`}
  </section>`;
}

function Care({ title, id, people, empty, href, action }) {
  return html`<section class="card" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}</h2>
    ${people.length === 0 ? html`<p class="empty">${empty}</p>` : html`<ul class="rows">${people.map((one) => html`<li class="row" key=${one.id}>
      <a href=${`/admin/people/${one.id}`} dir="auto">${one.name}</a></li>`)}</ul>`}
    <p><a class="button" href=${href}>${action}</a></p>
  </section>`;
}
