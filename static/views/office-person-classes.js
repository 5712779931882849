import { focusOn } from "../js/focus.js";
import { html, useState } from "../lib/html.js";
import { Field, Select } from "./field.js";
import { useLoad } from "./load.js";
import { Undo } from "./undo.js";

/** The classes that somebody is in. */
export function PersonClasses({ api, person, onChanged }) {
  const load = useLoad(() => api.get("/classes", { archived: false }), "classes");
  const [chosen, setChosen] = useState("");
  const [removed, setRemoved] = useState(null);
  const [trouble, setTrouble] = useState(null);
  const belongs = person.roles.some((role) => role === "student" || role === "instructor");
  if (!belongs && person.classes.length === 0) return null;
  const attempt = (work) => work.then(onChanged).then(() => setTrouble(null), (error) => setTrouble(error.message));
  const member = ({ id }) => `/classes/${id}/members/${person.id}`;
  const add = (event) => {
    event.preventDefault();
    if (!chosen) return;
    attempt(api.put(member({ id: chosen })).then(() => setChosen("")));
  };
  const remove = (one) => attempt(api.remove(member(one)).then(() => setRemoved(one)));
  const others = (load.value?.items ?? []).filter(({ id }) => !person.classes.some((one) => one.id === id));
  return html`<section class="card" aria-labelledby="classes-title">
    <h2 id="classes-title" tabindex="-1">Classes</h2>
    ${removed && html`<${Undo} key=${removed.id} onClose=${() => setRemoved(null)}
      onUndo=${() => attempt(api.put(member(removed)).then(() => setRemoved(null))).then(() => focusOn("classes-title"))}>Out of ${removed.name}.<//>`}
    ${person.classes.length === 0 ? html`<p class="empty">In no class yet.</p>` : html`<ul class="rows">${person.classes.map((one) => html`<li class="row" key=${one.id}>
      <a href=${`/admin/classes/${one.id}`} dir="auto">${one.name}</a>
      <button type="button" class="link" onClick=${() => remove(one)}>Take out<span class="for-screen-reader"> of ${one.name}</span></button></li>`)}</ul>`}
    ${belongs && others.length > 0 && html`<form class="inline-form" onSubmit=${add}>
      <${Field} id="add-class" label="Add to a class">${(control) => html`<${Select} ...${control} value=${chosen} onChange=${setChosen}
        options=${[["", "Choose a class"], ...others.map(({ id, name }) => [id, name])]} />`}<//>
      <button type="submit" class="button" aria-disabled=${!chosen}>Add</button></form>`}
    ${(trouble ?? load.error?.message) && html`<p class="form-trouble" role="alert">${trouble ?? load.error.message}</p>`}
  </section>`;
}
