import { readFilters } from "../js/address.js";
import { spelled } from "../js/plan-words.js";
import { moment } from "../lib/format.js";
import { html, useState } from "../lib/html.js";
import { LessonNav } from "./author-head.js";
import { Dialog } from "./dialog.js";
import { Field, Select } from "./field.js";
import { Loading, Trouble } from "./frame.js";
import { useKeys } from "./keys.js";
import { useLoad } from "./load.js";
import { Table } from "./table.js";
import { Undo } from "./undo.js";
import { SideBySide } from "./word-diff.js";

/** The versions of a lesson: who made them, what changed, and the ways back. */
export function Versions({ api, me, place, search, go, retitle }) {
  const path = `/school/lessons/${encodeURIComponent(place.lesson)}`;
  const load = useLoad(async () => {
    const [lesson, versions] = await Promise.all([api.get(path), api.get(`${path}/versions`)]);
    retitle(`Versions of ${lesson.title}`);
    return { lesson, versions: versions.items };
  }, place.lesson);
  const [asked, setAsked] = useState(null); // {what: "roll back" | "reset", version}
  const [done, setDone] = useState(null); // {text, back}
  const keys = useKeys([{ key: "e", title: "Back to writing", act: () => go(`/instructor/lessons/${place.lesson}`) }]);
  if (load.error) return html`<${Trouble} title="The versions did not load" text=${load.error.message} onRetry=${load.again}><a class="button" href="/instructor">Lessons</a><//>`;
  if (!load.value) return html`<${Loading} what="Fetching the versions" />`;
  const { lesson, versions } = load.value;
  const publish = async (number, told) => {
    const next = await api.post(`${path}/roll-back`, { number });
    setDone({ text: told, back: lesson.published_number });
    load.set({ lesson: { ...lesson, ...next }, versions: versions.map((version) => ({ ...version, published: version.number === number })) });
  };
  const confirmed = {
    "roll back": (version) => publish(version.number, `Students get version ${version.number} again.`),
    reset: (version) => api.post(`${path}/draft/reset`, { number: version.number }).then(() => go(`/instructor/lessons/${lesson.id}`)),
  };
  return html`<${LessonNav} lesson=${lesson} current="Versions" title=${lesson.title} />
    ${done && html`<${Undo} key=${done.text} onClose=${() => setDone(null)}
      onUndo=${() => publish(done.back, `Students get version ${done.back} again.`)}>${done.text}<//>`}
    ${versions.length === 0
      ? html`<p class="empty">No versions yet. Publishing makes one; it never changes after that, and every session stays with the one it began with.</p>`
      : html`<${Table} caption="Versions" columns=${columns({ me, lesson, versions, path: location.pathname, ask: setAsked })}
          rows=${versions} keyOf=${(version) => version.number} />
        <${Compare} api=${api} path=${path} lesson=${lesson} versions=${versions} search=${search} go=${go} />`}
    ${asked && html`<${Ask} asked=${asked} lesson=${lesson} onClose=${() => setAsked(null)} confirmed=${confirmed[asked.what]} />`}
    ${keys}`;
}

function columns({ me, lesson, versions, path, ask }) {
  const before = (version) => versions.filter(({ number }) => number < version.number).map(({ number }) => number).sort((a, b) => b - a)[0];
  const named = (version, words) => html`${words}<span class="for-screen-reader">: version ${version.number}</span>`;
  return [
    { key: "number", title: "Version", cell: (version) => html`<strong>Version ${version.number}</strong>
      ${version.published && html` <span class="mark good">${lesson.state === "archived" ? "Last published" : "Students get this"}</span>`}` },
    { key: "note", title: "What is new", cell: ({ note }) => html`<span dir="auto">${note || "–"}</span>` },
    { key: "author", title: "By", cell: ({ author }) => html`<span dir="auto">${author.name}</span>` },
    { key: "date", title: "When", cell: (version) => moment(version.created_at, me.locale) },
    { key: "actions", title: "Actions", cell: (version) => html`<span class="row-actions">
      ${before(version) && html`<a href=${`${path}?left=${before(version)}&right=${version.number}`}>${named(version, "What changed")}</a>`}
      <a href=${`${path}?left=${version.number}&right=draft`}>${named(version, "Compare with the draft")}</a>
      ${!version.published && lesson.state !== "archived" && html`<button type="button" class="link" onClick=${() => ask({ what: "roll back", version })}>${named(version, "Publish again")}</button>`}
      <button type="button" class="link" onClick=${() => ask({ what: "reset", version })}>${named(version, "Start the draft from it")}</button>
    </span>` },
  ];
}

function Ask({ asked: { what, version }, lesson, onClose, confirmed }) {
  const [trouble, setTrouble] = useState(null);
  const title = html`“<span dir="auto">${lesson.title}</span>”`;
  const yes = () => confirmed(version).then(onClose, (error) => setTrouble(error.message));
  const dialog = what === "roll back"
    ? { title: `Publish version ${version.number} again?`, verb: `Publish version ${version.number}`, text: html`New sessions of ${title} get version ${version.number} instead of
        version ${lesson.published_number}. Running ones keep theirs, the draft stays as it is, and you can go forward again.` }
    : { title: `Start the draft from version ${version.number}?`, verb: "Replace the draft", text: lesson.has_changes
        ? html`The draft of ${title} has changes that are in no version. They are replaced. To keep them, <a
          href=${`/api/v1/school/lessons/${lesson.id}/export?format=yaml`} download>export the draft</a> first.`
        : html`The draft of ${title} becomes version ${version.number}; what is in the other versions stays there.` };
  return html`<${Dialog} title=${dialog.title} onClose=${onClose}>
    <p>${dialog.text}</p>
    ${trouble && html`<p class="form-trouble" role="alert">${trouble}</p>`}
    <div class="actions"><button type="button" class="button primary" onClick=${yes}>${dialog.verb}</button>
      <button type="button" class="button" onClick=${onClose}>Leave it</button></div>
  <//>`;
}

function Compare({ api, path, lesson, versions, search, go }) {
  const { left, right } = readFilters(search, ["left", "right"]);
  const latest = Math.max(...versions.map(({ number }) => number));
  const choose = (changes) => {
    const wanted = { left: left || String(lesson.published_number ?? latest), right: right || "draft", ...changes };
    go(`${location.pathname}?${new URLSearchParams(wanted)}`, { replace: true });
  };
  const options = versions.map(({ number }) => [String(number), `Version ${number}`]);
  return html`<section aria-labelledby="compare-title">
    <h2 id="compare-title">Compare</h2>
    <div class="filters">
      <${Field} id="left" label="Earlier">${(control) => html`<${Select} ...${control} value=${left} onChange=${(value) => choose({ left: value })}
        options=${left ? options : [["", "Choose"], ...options]} />`}<//>
      <${Field} id="right" label="Later">${(control) => html`<${Select} ...${control} value=${right} onChange=${(value) => choose({ right: value })}
        options=${[...(right ? [] : [["", "Choose"]]), ["draft", "The draft"], ...options]} />`}<//>
    </div>
    ${left && right && html`<${Changes} key=${`${left} ${right}`} api=${api} path=${path} left=${left} right=${right} language=${lesson.language} />`}
  </section>`;
}

const KINDS = { added: "New", removed: "Taken out", changed: "Changed", moved: "Moved" };

function Changes({ api, path, left, right, language }) {
  const load = useLoad(() => api.get(`${path}/compare`, { left, right }), `${left} ${right}`);
  if (load.error) return html`<p class="form-trouble" role="alert">${load.error.message}</p>`;
  if (!load.value) return html`<${Loading} what="Comparing" />`;
  const { changes, left: one, right: other } = load.value;
  if (changes.length === 0) return html`<p class="empty">${one.label} and ${other.label} are the same.</p>`;
  return html`<p role="status">${changes.length === 1 ? "One place differs" : `${changes.length} places differ`}.</p>
    ${byPart(changes).map(({ part, own }) => html`<section class="compare-part" key=${part} aria-label=${part}>
      <h3>${part}</h3>
      ${own.map((change, i) => html`<article class="change" key=${i}>
        <h4>${change.place} <span class="mark">${KINDS[change.kind] ?? change.kind}</span></h4>
        ${change.kind === "moved"
          ? html`<p>It was ${change.left.toLowerCase()}, and is ${change.right.toLowerCase()} now.</p>`
          : html`<${SideBySide} before=${spelled(change.left)} after=${spelled(change.right)} titles=${[one.label, other.label]} language=${language} />`}
      </article>`)}
    </section>`)}`;
}

/** Changes by the part of the lesson they are in: "Step 2, hint 1" is in "Step 2". */
export function byPart(changes) {
  return changes.reduce((all, change) => {
    const part = /^Step \d+/.exec(change.place)?.[0] ?? "The lesson";
    const known = all.find((one) => one.part === part);
    if (known) known.own.push(change);
    else all.push({ part, own: [change] });
    return all;
  }, []);
}
