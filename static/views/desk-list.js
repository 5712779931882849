import { askedFor, readSessionFilters, sessionsAddress, VIEWS, isView } from "../js/desk-filters.js";
import { Names } from "../js/names.js";
import { THUMBS, countWords, endWords, engineWords } from "../js/session-words.js";
import { duration, moment } from "../lib/format.js";
import { html, useEffect, useMemo, useState } from "../lib/html.js";
import { Copies } from "./desk-copies.js";
import { arriveByKey, trailOf } from "./desk-hands.js";
import { SessionFilters } from "./desk-filters.js";
import { Loading, Trouble } from "./frame.js";
import { useKeys } from "./keys.js";
import { useLoad } from "./load.js";
import { More } from "./more.js";
import { Table } from "./table.js";

const PAGE = 50;
const FRESH_MS = 10 * 60_000; // one comes back from a session to the list as it was
const names = new Names();
const last = { search: null, page: null, at: 0, opened: null };

/** A session was reviewed, or that was taken back: the list one comes back to knows. */
export function reviewedInList(id, reviewed) {
  if (!last.page) return;
  last.page = { ...last.page, items: last.page.items.map((card) => (card.id === id ? { ...card, reviewed } : card)) };
}

/** The sessions of one's students, what is worth looking at first. */
export function Sessions({ api, me, search, go }) {
  const filters = readSessionFilters(search);
  const asked = askedFor(filters);
  const ask = (cursor) => api.sessions({ ...asked, cursor, limit: PAGE });
  const [copies, setCopies] = useState(false);
  const load = useLoad(() => (last.search === search && Date.now() - last.at < FRESH_MS ? Promise.resolve(last.page) : ask()), search);
  const page = load.value;
  if (page) {
    names.learnFrom(page.items);
    if (page !== last.page) Object.assign(last, { search, page, at: Date.now() });
  }
  const again = () => {
    last.page = null;
    last.search = null;
    load.again();
  };
  const open = (card) => {
    last.opened = card.id;
    go(sessionsAddress(filters, `/tutor/sessions/${card.id}`));
  };
  const keys = useKeys([
    { key: "n", title: "Open the first one that is not reviewed", act: () => openFirst(page, open) },
    { key: "r", title: "Ask for the list anew", act: again },
    { key: "/", title: "Find a student", act: () => document.getElementById("student").focus() },
  ]);
  const versions = useVersions(page, filters);
  useEffect(() => void trailOf.begin(), []);
  return html`<div class="page-head">
      <h1>Sessions</h1>
      ${page?.items.length > 0 && html`<div class="actions"><button type="button" class="button" onClick=${() => setCopies(true)}>Take a copy of these</button></div>`}
    </div>
    <${SessionFilters} api=${api} filters=${filters} names=${names} versions=${versions}
      onFilter=${(changed) => go(sessionsAddress(changed), { replace: true })} />
    <div class="results desk-table"><${List} load=${load} filters=${filters} me=${me} ask=${ask} onOpen=${open} onAgain=${again} /></div>
    ${copies && html`<${Copies} path="/sessions/export" query=${asked} many=${true} onClose=${() => setCopies(false)} />`}
    ${keys}`;
}

function openFirst(page, open) {
  const first = page?.items.find(({ reviewed, status }) => !reviewed && status === "ended");
  if (!first) return;
  arriveByKey();
  open(first);
}

/** The versions met in the list, with the one that is asked for. */
function useVersions(page, { version }) {
  const met = (page?.items ?? []).map((card) => card.version).filter(Boolean);
  const all = [...new Set([...met, ...(version ? [Number(version)] : [])])];
  return all.sort((one, other) => other - one);
}

function List({ load, filters, me, ask, onOpen, onAgain }) {
  const columns = useMemo(() => columnsFor(me, filters, onOpen), [me, sessionsAddress(filters)]);
  const items = load.value?.items;
  useEffect(() => {
    if (!items || !last.opened) return;
    const row = document.getElementById(`session-${last.opened}`);
    last.opened = null;
    row?.focus({ preventScroll: true });
    row?.scrollIntoView({ block: "center" });
  }, [Boolean(items)]);
  if (load.error) return html`<${Trouble} title="The sessions did not load" text=${load.error.message} onRetry=${onAgain}><span></span><//>`;
  if (!load.value) return html`<${Loading} what="Fetching the sessions" />`;
  if (items.length === 0) return html`<${Empty} filters=${filters} me=${me} />`;
  return html`<p class="faint" role="status">${countWords(load.value)}</p>
    <${Table} caption="Sessions, newest first" columns=${columns} rows=${items} onOpen=${onOpen} />
    <${More} page=${load.value} ask=${ask} onMore=${load.set} />`;
}

function columnsFor(me, filters, onOpen) {
  return [
    { key: "student", title: "Student", cell: (card) => html`<a id="session-${card.id}" class="row-title" dir="auto"
      href=${sessionsAddress(filters, `/tutor/sessions/${card.id}`)} onClick=${() => { last.opened = card.id; }}>${card.student.name}</a>` },
    { key: "lesson", title: "Lesson", cell: (card) => html`<span dir="auto">${card.lesson.title}</span>
      <span class="under">${card.version ? `version ${card.version}` : "a trial"} · ${engineWords(card.engines)}</span>` },
    { key: "started", title: "Began", cell: (card) => html`<time datetime=${card.started_at}>${moment(card.started_at, me.locale)}</time>
      <span class="under">${duration(card.wall_ms, me.locale)}</span>` },
    { key: "step", title: "How far", cell: (card) => html`step ${card.step} of ${card.steps}${card.status === "ended" && html`<span class="under">${endWords(card)}</span>`}` },
    { key: "thumbs", title: "The student said", cell: ({ thumbs }) => html`<${Thumb} thumbs=${thumbs} />` },
    { key: "reviewed", title: "Review", cell: (card) => html`<${ReviewState} card=${card} locale=${me.locale} />` },
  ];
}

function Thumb({ thumbs }) {
  if (!thumbs) return html`<span class="faint nothing">–<span class="for-screen-reader"> nothing</span></span>`;
  return html`<span class="mark ${thumbs === "down" ? "warn" : "good"}"><span aria-hidden="true">${thumbs === "down" ? "▼" : "▲"} </span>${THUMBS[thumbs]}</span>`;
}

function ReviewState({ card: { status, reviewed, corrections }, locale }) {
  const fixed = corrections > 0 && html`<span class="under">${corrections} ${corrections === 1 ? "correction" : "corrections"}</span>`;
  if (status === "live") return html`<span class="mark warn">Running</span>${fixed}`;
  if (!reviewed) return html`<span class="mark">Not yet</span>${fixed}`;
  return html`<span class="mark good"><span aria-hidden="true">✓ </span>Reviewed</span>
    <span class="under">by <span dir="auto">${reviewed.by.name}</span>, ${moment(reviewed.at, locale)}</span>${fixed}`;
}

function Empty({ filters, me }) {
  const narrowed = sessionsAddress(filters) !== "/tutor";
  if (narrowed) {
    return html`<div class="empty"><p>No session fits this.</p>
      <p><a class="button" href=${sessionsAddress(Object.assign(readSessionFilters(""), VIEWS.at(-1).changes))}>Show all sessions</a></p></div>`;
  }
  const assigns = me.roles.some((role) => role === "instructor" || role === "admin");
  return html`<section class="card teach" aria-labelledby="empty-title">
    <h2 id="empty-title">Nothing waits for a review</h2>
    <p>A lesson comes here when a student has finished or left it. Going through it takes three steps:</p>
    <ol>
      <li>Read what was said, and the summary beside it. Each sentence of the summary shows what it rests on.</li>
      <li>Correct what was misheard, or what the tutor should have said. The student sees your words, and that they are yours.</li>
      <li>Mark it as reviewed. Then its summary reaches the parents, if your school shows them reviewed ones.</li>
    </ol>
    <p>${assigns
      ? html`No lessons were taken yet? <a href="/instructor">Assign one to a class</a>, and see them here.`
      : html`You see the students you look after. If one is missing, ask your school's office. <a href="/tutor?reviewed=all&status=all">Show all sessions</a>, or <a href="/tutor/live">those that run now</a>.`}</p>
  </section>`;
}
