import { NOTHING_YET, reduce } from "../js/live-list.js";
import { follow } from "../js/news.js";
import { MODES } from "../js/session-words.js";
import { Store } from "../js/store.js";
import { duration, moment } from "../lib/format.js";
import { html, useEffect, useMemo, useState } from "../lib/html.js";
import { Loading, Trouble } from "./frame.js";
import { More } from "./more.js";
import { Table } from "./table.js";

const PAGE = 50;
const GATHER_MS = 400; // of news, before it is asked for
const POLL_MS = 5_000; // while no news would come
const DURATIONS_MS = 30_000; // minutes pass without news

/** The lessons that run now; they come, go on and end by themselves. */
export function Live({ api, me }) {
  const [state, line, error, again, more] = useLive(api);
  const columns = useMemo(() => columnsFor(me), [me]);
  if (error && !state.running) return html`<${Trouble} title="The running lessons did not load" text=${error.message} onRetry=${again}><span></span><//>`;
  return html`<div class="page-head"><h1>Live</h1>
      <p class="faint live-line" role="status">${line ? "This list keeps itself up to date." : "Looking every few seconds."}</p></div>
    <div class="results"><${Running} state=${state} me=${me} columns=${columns} api=${api} onMore=${more} /></div>
    ${state.over.length > 0 && html`<section aria-labelledby="over-title"><h2 id="over-title">Just ended</h2>
      <ul class="rows">${state.over.map((card) => html`<li class="row" key=${card.id}>
        <span><bdi>${card.student.name}</bdi>: <span dir="auto">${card.lesson.title}</span></span>
        <a href=${`/tutor/sessions/${card.id}`}>Review it<span class="for-screen-reader">: ${card.student.name}</span></a></li>`)}</ul></section>`}`;
}

function Running({ state, me, columns, api, onMore }) {
  if (!state.running) return html`<${Loading} what="Looking for running lessons" />`;
  if (state.running.length === 0) return html`<${Empty} me=${me} />`;
  return html`<p class="faint" role="status">${state.running.length} ${state.running.length === 1 ? "lesson runs" : "lessons run"}${state.more ? ", and more" : ""}.</p>
    <${Table} caption="Running lessons, newest first" columns=${columns} rows=${state.running} />
    <${More} page=${{ items: state.running, next_cursor: state.more }} ask=${(cursor) => api.sessions({ status: "live", limit: PAGE, cursor })} onMore=${onMore} />`;
}

function Empty({ me }) {
  const whose = me.roles.some((role) => role === "instructor" || role === "admin") ? "at your school" : "you look after";
  return html`<section class="card teach"><h2>No lesson runs now</h2>
    <p>When a student ${whose} begins, the lesson appears here by itself. Open it to read along as the words come; the student can see that you do.</p>
    <p><a href="/tutor">Sessions that are over</a> wait for your review.</p></section>`;
}

function columnsFor(me) {
  return [
    { key: "student", title: "Student", cell: (card) => html`<a class="row-title" dir="auto" href=${`/tutor/live/${card.id}`}>${card.student.name}</a>` },
    { key: "lesson", title: "Lesson", cell: (card) => html`<span dir="auto">${card.lesson.title}</span>` },
    { key: "step", title: "How far", cell: (card) => html`step ${card.step} of ${card.steps} <progress class="live-steps" max=${card.steps} value=${card.step} aria-hidden="true"></progress>` },
    { key: "long", title: "Together", cell: (card) => duration(card.wall_ms, me.locale) },
    { key: "mode", title: "How", cell: (card) => MODES[card.mode] },
    { key: "began", title: "Began", cell: (card) => moment(card.started_at, me.locale) },
  ];
}

/** `[state, whether news comes, error, again, more]`. */
function useLive(api) {
  const store = useMemo(() => new Store(reduce, NOTHING_YET), []);
  const [state, setState] = useState(store.state);
  const [line, setLine] = useState(false);
  const [error, setError] = useState(null);
  const whole = () => api.sessions({ status: "live", limit: PAGE }).then(
    (page) => (setError(null), store.receive({ type: "list", page })),
    setError,
  );
  const one = (id) => api.session(id).then(
    (card) => store.receive({ type: "card", card }),
    (problem) => problem.status === 404 && store.receive({ type: "gone", id }),
  );
  useEffect(() => {
    let timer = null;
    const gather = (now) => {
      setState(now);
      if (timer || (now.wanted.length === 0 && !now.whole)) return;
      timer = setTimeout(() => {
        timer = null;
        const { wanted, whole: all } = store.state;
        store.receive({ type: "asked" });
        if (all) whole();
        else wanted.forEach(one);
      }, GATHER_MS);
    };
    const unsubscribe = store.subscribe(gather);
    const stop = follow({
      hear: (name, about) => store.receive({ type: "news", name, about }),
      refresh: () => store.receive({ type: "refresh" }),
      line: setLine,
    });
    whole();
    return () => {
      unsubscribe();
      stop();
      clearTimeout(timer);
    };
  }, []);
  useEffect(() => {
    const timer = setInterval(() => !document.hidden && store.receive({ type: "refresh" }), line ? DURATIONS_MS : POLL_MS);
    return () => clearInterval(timer);
  }, [line]);
  return [state, line, error, whole, (page) => store.receive({ type: "more", page })];
}
