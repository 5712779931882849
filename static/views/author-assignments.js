import { beginOf, dayOf, endOf } from "../js/days.js";
import { day } from "../lib/format.js";
import { html, useState } from "../lib/html.js";
import { LessonNav } from "./author-head.js";
import { AssignForm, Dates } from "./author-assign.js";
import { Dialog } from "./dialog.js";
import { Loading, Trouble } from "./frame.js";
import { useKeys } from "./keys.js";
import { useLoad } from "./load.js";
import { More } from "./more.js";
import { Table } from "./table.js";
import { Undo } from "./undo.js";

/** Who may take a lesson, from when, and until when it should be done. */
export function Assignments({ api, me, place, go, retitle }) {
  const lessonPath = `/school/lessons/${encodeURIComponent(place.lesson)}`;
  const path = `${lessonPath}/assignments`;
  const lesson = useLoad(() => api.get(lessonPath).then((found) => {
    retitle(`Assignments of ${found.title}`);
    return found;
  }), place.lesson);
  const load = useLoad(() => api.get(path), place.lesson);
  const [changing, setChanging] = useState(null);
  const [removed, setRemoved] = useState(null);
  const [trouble, setTrouble] = useState(null);
  const keys = useKeys([{ key: "e", title: "Back to writing", act: () => go(`/instructor/lessons/${place.lesson}`) }]);
  const error = lesson.error ?? load.error;
  const again = () => {
    lesson.again();
    load.again();
  };
  if (error) return html`<${Trouble} title="The assignments did not load" text=${error.message} onRetry=${again}><a class="button" href="/instructor">Lessons</a><//>`;
  if (!lesson.value || !load.value) return html`<${Loading} what="Fetching the assignments" />`;
  const { items } = load.value;
  const put = (next) => load.set({ ...load.value, items: next });
  const attempt = (work) => work.then(() => setTrouble(null), (refused) => setTrouble(refused.message));
  const remove = (row) => attempt(api.remove(`${path}/${row.id}`).then(() => {
    setRemoved(row);
    put(items.filter(({ id }) => id !== row.id));
  }));
  const putBack = () => attempt(api.post(path, bodyOf(removed)).then((row) => {
    setRemoved(null);
    put([...items, row]);
  }));
  const change = (row, dates) => api.patch(`${path}/${row.id}`, dates).then((next) => put(items.map((one) => (one.id === row.id ? next : one))));
  const columns = [
    { key: "who", title: "For", cell: (row) => html`<${Who} row=${row} />` },
    { key: "from", title: "From", cell: ({ starts_at: from }) => (from ? day(from, me.locale) : "at once") },
    { key: "due", title: "Due", cell: ({ due_at: due }) => (due ? day(due, me.locale) : "no date") },
    { key: "actions", title: "Actions", cell: (row) => html`<span class="row-actions">
      <button type="button" class="link" onClick=${() => setChanging(row)}>Change<span class="for-screen-reader">: ${nameOf(row)}</span></button>
      <button type="button" class="link" onClick=${() => remove(row)}>Remove<span class="for-screen-reader">: ${nameOf(row)}</span></button></span>` },
  ];
  return html`<${LessonNav} lesson=${lesson.value} current="Assignments" title=${lesson.value.title} />
    ${lesson.value.state === "draft" && html`<p class="note">Nobody sees this lesson before it is published. You can assign it already; students get it then.</p>`}
    ${removed && html`<${Undo} key=${removed.id} onUndo=${putBack} onClose=${() => setRemoved(null)}>${nameOf(removed)}: not assigned any more.<//>`}
    ${trouble && html`<p class="form-trouble" role="alert">${trouble}</p>`}
    ${items.length === 0
      ? html`<p class="empty">Assigned to nobody yet. Choose below who should get it: everyone, a class, or single students.</p>`
      : html`<${Table} caption="Assignments" columns=${columns} rows=${items} />
        <${More} page=${load.value} ask=${(cursor) => api.get(path, { cursor })} onMore=${load.set} />`}
    <${AssignForm} api=${api} taken=${items} onAssign=${(body) => api.post(path, body).then((row) => put([...items, row]))} />
    ${changing && html`<${Change} row=${changing} onClose=${() => setChanging(null)} onChange=${(dates) => change(changing, dates)} />`}
    ${keys}`;
}

const nameOf = (row) => (row.everyone ? "Everyone at the school" : row.class ? `Class ${row.class.name}` : row.student.name);

function Who({ row }) {
  if (row.everyone) return "Everyone at the school";
  return row.class ? html`Class <span dir="auto">${row.class.name}</span>` : html`<span dir="auto">${row.student.name}</span>`;
}

function bodyOf(row) {
  const who = row.everyone ? { everyone: true } : row.class ? { class_id: row.class.id } : { student_id: row.student.id };
  return { ...who, ...(row.starts_at && { starts_at: row.starts_at }), ...(row.due_at && { due_at: row.due_at }) };
}

function Change({ row, onClose, onChange }) {
  const [from, setFrom] = useState(dayOf(row.starts_at));
  const [due, setDue] = useState(dayOf(row.due_at));
  const [trouble, setTrouble] = useState(null);
  const save = (event) => {
    event.preventDefault();
    onChange({ starts_at: beginOf(from), due_at: endOf(due) }).then(onClose, (error) => setTrouble(error.message));
  };
  return html`<${Dialog} title="Change: ${nameOf(row)}" onClose=${onClose}>
    <form onSubmit=${save}>
      <${Dates} prefix="change" from=${from} due=${due} onFrom=${setFrom} onDue=${setDue} />
      ${trouble && html`<p class="form-trouble" role="alert">${trouble}</p>`}
      <div class="actions"><button type="submit" class="button primary">Save</button><button type="button" class="button" onClick=${onClose}>Leave it</button></div>
    </form>
  <//>`;
}
