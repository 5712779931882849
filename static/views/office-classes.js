import { readFilters } from "../js/address.js";
import { count } from "../js/office-words.js";
import { html, useState } from "../lib/html.js";
import { Field } from "./field.js";
import { Loading, Trouble } from "./frame.js";
import { useLoad } from "./load.js";
import { More } from "./more.js";
import { Table } from "./table.js";

/** The classes of the school. */
export function Classes({ api, search, go }) {
  const archived = readFilters(search, ["archived"]).archived === "yes";
  const load = useLoad(() => api.get("/classes", { archived }), search);
  return html`<div><div class="page-head"><h1>Classes</h1>
      <div class="actions"><a class="button" href=${archived ? "/admin/classes" : "/admin/classes?archived=yes"}>${archived ? "Classes in use" : "Archived classes"}</a></div></div>
    ${!archived && html`<${NewClass} api=${api} onMade=${({ id }) => go(`/admin/classes/${id}`)} />`}
    <${List} api=${api} load=${load} archived=${archived} go=${go} /></div>`;
}

function NewClass({ api, onMade }) {
  const [name, setName] = useState("");
  const [trouble, setTrouble] = useState(null);
  const make = async (event) => {
    event.preventDefault();
    if (!name.trim()) {
      setTrouble("Write a name for the class.");
      document.getElementById("class-name").focus();
      return;
    }
    await api.post("/classes", { name }).then(onMade, (error) => setTrouble(error.message));
  };
  return html`<form class="inline-form" onSubmit=${make} novalidate>
    <${Field} id="class-name" label="New class" trouble=${trouble}>${(control) => html`<input ...${control} dir="auto" maxlength="80" autocomplete="off" placeholder="Class 5a"
      value=${name} onInput=${(event) => setName(event.target.value)} />`}<//>
    <button type="submit" class="button primary">Make the class</button>
  </form>`;
}

function List({ api, load, archived, go }) {
  if (load.error) return html`<${Trouble} title="The classes did not load" text=${load.error.message} onRetry=${load.again}><span></span><//>`;
  if (!load.value) return html`<${Loading} what="Fetching the classes" />`;
  if (load.value.items.length === 0) {
    return html`<p class="empty">${archived ? "No class is archived." : "No classes yet. A class has students and teachers; a lesson is assigned to all of its students at once."}</p>`;
  }
  const columns = [
    { key: "name", title: "Class", cell: ({ id, name }) => html`<a class="row-title" href=${`/admin/classes/${id}`} dir="auto">${name}</a>` },
    { key: "students", title: "Students", numeric: true, cell: ({ students }) => students },
    { key: "instructors", title: "Teachers", numeric: true, cell: ({ instructors }) => instructors },
  ];
  return html`<div><p class="faint">${count(load.value.items.length, "class", "classes")}${load.value.next_cursor ? " and more" : ""}</p>
    <div class="narrow-table compact-rows"><${Table} caption=${archived ? "Archived classes" : "Classes in use"} columns=${columns} rows=${load.value.items} onOpen=${({ id }) => go(`/admin/classes/${id}`)} /></div>
    <${More} page=${load.value} ask=${(cursor) => api.get("/classes", { archived, cursor })} onMore=${load.set} /></div>`;
}
