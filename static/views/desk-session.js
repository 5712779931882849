import { askedFor, readSessionFilters, sessionsAddress } from "../js/desk-filters.js";
import { linksOf, stepFrom } from "../js/desk-links.js";
import { endWords } from "../js/session-words.js";
import { duration, moment } from "../lib/format.js";
import { html, useEffect, useMemo, useState } from "../lib/html.js";
import { Copies } from "./desk-copies.js";
import { Entry } from "./desk-entry.js";
import { arriveByKey, cameByKey, focusOn, trailOf, useDesk } from "./desk-hands.js";
import { reviewedInList } from "./desk-list.js";
import { useRecord } from "./desk-record.js";
import { DeskSide } from "./desk-side.js";
import { DeskSummary } from "./desk-summary.js";
import { Loading, Trouble } from "./frame.js";
import { useKeys } from "./keys.js";

const NOTHING_MARKED = { items: new Set(), sentences: new Set() };

/** One session on the desk: read, corrected, marked as reviewed, and on to the next. */
export function DeskSession({ api, me, place, search, go, retitle }) {
  const id = place.session;
  const filters = useMemo(() => readSessionFilters(search), [search]);
  const list = sessionsAddress(filters);
  const record = useRecord(api, id, askedFor(filters));
  const { card, items, summary } = record;
  const links = useMemo(() => linksOf(summary, items ?? []), [summary, items]);
  const times = useMemo(() => new Map((items ?? []).map((item) => [item.id, item.started_ms])), [items]);
  const reasons = useMemo(() => new Map((record.reasons ?? []).map(({ code, words }) => [code, words])), [record.reasons]);
  const [current, setCurrent] = useState({ item: null, sentence: null, in: "items" });
  const [hovered, setHovered] = useState(null); // {item} or {sentence}
  const [told, setTold] = useState(null); // {text, act?: {title, run}}
  const [copies, setCopies] = useState(false);
  const desk = useDesk({ api, me, record, links, setTold });
  const { open } = desk;
  const may = card?.may.override ?? false;

  const goTo = (to) => {
    arriveByKey();
    go(sessionsAddress(filters, `/tutor/sessions/${to}`));
  };
  const done = { title: "Back to the list", run: () => go(list) };
  const goOn = () => {
    if (!record.beside) return;
    const to = record.beside.next_unreviewed;
    if (!to) return void setTold({ text: "That was the last one of this list. Well done.", act: done });
    trailOf.on(id);
    goTo(to);
  };
  const goBack = () => {
    const to = trailOf.back() ?? record.beside?.previous;
    if (to) goTo(to);
    else if (record.beside) setTold({ text: "This is the newest one of the list.", act: done });
  };
  const review = async (reviewed) => {
    if (!card?.may.review) return;
    if (card.status === "live") return void setTold({ text: "This lesson still runs. It can be marked as reviewed when it is over." });
    if (reviewed && card.reviewed) return void setTold({ text: "It is reviewed already. Press n for the next." });
    try {
      const answer = await api.post(`/sessions/${id}/review`, { reviewed });
      record.put((now) => ({ card: { ...now.card, ...answer } }));
      reviewedInList(id, answer.reviewed);
      setTold(reviewed ? reviewedWords(record.overrides, () => review(false)) : { text: "It counts as not reviewed again." });
    } catch (error) {
      setTold({ text: `It is not marked. ${error.message}` });
    }
  };
  // Where one is, is asked of the page itself: keys may come faster than it is drawn.
  const where = () => {
    const at = document.activeElement?.closest("[data-item], [data-sentence]")?.dataset;
    const inSummary = at ? Boolean(at.sentence) : current.in === "sentences";
    const ids = inSummary ? links.sentences.map((line) => line.id) : (items ?? []).map((item) => item.id);
    return { at: inSummary ? "sentence" : "item", ids, here: at?.sentence ?? at?.item ?? null, last: inSummary ? current.sentence : current.item };
  };
  const move = (by) => {
    const { ids, here, last } = where();
    focusOn(here === null ? (last ?? stepFrom(ids, null, 1)) : stepFrom(ids, here, by));
  };
  const edit = () => {
    const { at, ids, here, last } = where();
    const what = here ?? last ?? ids[0];
    if (what && may) desk.open(at, what);
  };
  const cross = () => {
    const inSummary = where().at === "sentence";
    focusOn(inSummary ? (current.item ?? items?.[0]?.id) : (current.sentence ?? links.sentences[0]?.id ?? "summary-title"));
  };
  const keys = useKeys([
    { key: "n", title: "Next one that is not reviewed", act: goOn },
    { key: "p", title: "Previous session of the list", act: goBack },
    { key: "j", title: "Next thing said, or next sentence", act: () => move(1) },
    { key: "k", title: "The one before", act: () => move(-1) },
    { key: "e", title: "Correct it", act: edit },
    { key: "a", title: "Approve: mark as reviewed", act: () => review(true) },
    { key: "s", title: "To the summary; again: back to what was said", act: cross },
    { key: "r", title: "Make the summary anew", act: () => summary?.stale && card.may.renew && desk.renew() },
    { key: "u", title: "Back to the list", act: () => go(list) },
    { key: "Escape", title: "Close the form; the draft is kept", act: () => desk.opened && desk.form.close() },
    { key: "Ctrl+Enter", title: "Publish the correction" },
  ]);

  useEffect(() => {
    if (card) retitle(`${card.student.name}: ${card.lesson.title}`);
  }, [card?.id]);
  useEffect(() => {
    if (items && cameByKey()) focusOn(items[0]?.id);
  }, [Boolean(items)]);

  // A summary made anew has sentences of its own: who was at one stays in its place.
  useEffect(() => {
    const { sentence } = current;
    if (!sentence || links.sentences.length === 0 || links.sentences.some((line) => line.id === sentence)) return;
    const same = `${summary.number}${sentence.slice(sentence.indexOf("."))}`;
    const next = (links.sentences.find((line) => line.id === same) ?? links.sentences[0]).id;
    setCurrent((now) => ({ ...now, sentence: next }));
    if (document.activeElement === document.body) focusOn(next);
  }, [links]);

  if (record.error) {
    return html`<${Trouble} title="We can't show this session" text=${record.error.message} onRetry=${record.again}><a class="button" href=${list}>Sessions</a><//>`;
  }
  if (!card) return html`<${Loading} what="Fetching the session" />`;
  const focused = (event) => {
    const at = event.target.closest?.("[data-item], [data-sentence]");
    if (at?.dataset.item) setCurrent((now) => ({ ...now, item: at.dataset.item, in: "items" }));
    else if (at) setCurrent((now) => ({ ...now, sentence: at.dataset.sentence, in: "sentences" }));
  };
  const over = (event) => {
    const at = event.target.closest?.("[data-item], [data-sentence]")?.dataset;
    const next = at?.item ? { item: at.item } : at?.sentence ? { sentence: at.sentence } : null;
    if (next?.item !== hovered?.item || next?.sentence !== hovered?.sentence) setHovered(next);
  };
  const marked = markedBy(hovered ?? (current.in === "items" ? { item: current.item } : { sentence: current.sentence }), links);
  const first = items?.[0]?.id;
  return html`<div class="desk" onfocusin=${focused} onmouseover=${over} onmouseleave=${() => setHovered(null)}>
    <${Head} card=${card} record=${record} me=${me} list=${list} filters=${filters} onReview=${review} onNext=${goOn} onPrevious=${goBack} onCopies=${() => setCopies(true)} />
    <div class="panes">
      <section class="desk-said" aria-labelledby="said-title">
        <h2 id="said-title">What was said</h2>
        ${items === null ? html`<${Loading} what="Fetching what was said" />` : items.length === 0 ? html`<p class="empty">Nothing was said.</p>`
          : html`<ol class="entries">${items.map((item) => html`<${Entry} key=${item.id} item=${item} student=${card.student.name} locale=${me.locale}
            linked=${marked.items.has(item.id)} current=${item.id === (current.item ?? first)} lines=${links.byItem.get(item.id)}
            form=${desk.opened?.at === "item" && desk.opened.id === item.id ? desk.opened.correcting : null} reasons=${reasons} may=${may} desk=${desk} />`)}</ol>`}
      </section>
      <div class="desk-side">
        <${DeskSummary} record=${record} links=${links} times=${times} marked=${marked} current=${current.sentence ?? links.sentences[0]?.id} open=${desk.opened}
          may=${may} reasons=${reasons} locale=${me.locale} student=${card.student.name} desk=${desk} />
        <${DeskSide} api=${api} record=${record} links=${links} reasons=${reasons} times=${times} locale=${me.locale} me=${me} desk=${desk} />
      </div>
    </div>
    ${copies && html`<${Copies} path="/sessions/${id}/export" onClose=${() => setCopies(false)} />`}
    <${Told} told=${told} onClose=${() => setTold(null)} />
    ${keys}
  </div>`;
}

function Head({ card, record, me, list, onReview, onNext, onPrevious, onCopies }) {
  const { reviewed, may } = card;
  const isLive = card.status === "live";
  return html`<p class="back"><a href=${list}>Sessions</a></p>
    <header class="desk-head">
      <div class="desk-title"><h1><span dir="auto">${card.student.name}</span><span class="desk-lesson" dir="auto">${card.lesson.title}</span></h1>
        <p class="faint">${moment(card.started_at, me.locale)} · ${duration(card.wall_ms, me.locale)} · step ${card.step} of ${card.steps} · ${endWords(card)}</p></div>
      <div class="desk-acts">
        ${may.export && html`<button type="button" class="button quiet" onClick=${onCopies}>Take a copy</button>`}
        <button type="button" class="button" aria-disabled=${!trailOf.last() && !record.beside?.previous} onClick=${onPrevious}>Previous <kbd>p</kbd></button>
        <button type="button" class="button" onClick=${onNext}>Next <kbd>n</kbd></button>
        ${isLive ? may.follow && html`<a class="button primary" href=${`/tutor/live/${card.id}`}>Follow it live</a>`
          : may.review && (reviewed
            ? html`<button type="button" class="button" onClick=${() => onReview(false)}>Take the review back</button>`
            : html`<button type="button" class="button primary" onClick=${() => onReview(true)}>Mark as reviewed <kbd>a</kbd></button>`)}
      </div>
      ${reviewed && html`<p class="desk-reviewed"><span class="mark good"><span aria-hidden="true">✓ </span>Reviewed</span> by <span dir="auto">${reviewed.by.name}</span>, ${moment(reviewed.at, me.locale)}</p>`}
    </header>`;
}

/** What just happened, and what one may want to do next. It stays until the next thing happens. */
function Told({ told, onClose }) {
  return html`<div class="told" role="status">${told && html`<div class="told-box"><span dir="auto">${told.text}</span>
    ${told.act && html`<button type="button" class="button" onClick=${told.act.run}>${told.act.title}</button>`}
    <button type="button" class="button quiet" onClick=${onClose}>Close<span class="for-screen-reader"> this message</span></button></div>`}</div>`;
}

function reviewedWords(overrides, undo) {
  const drafts = overrides?.filter(({ state }) => state === "draft").length ?? 0;
  const left = drafts > 0 ? ` ${drafts === 1 ? "One correction of yours is" : `${drafts} corrections of yours are`} not published yet.` : "";
  return { text: `Marked as reviewed.${left} Press n for the next.`, act: { title: "Undo", run: undo } };
}

function markedBy({ item, sentence }, { sentences, byItem }) {
  if (item) return { items: new Set(), sentences: new Set((byItem.get(item) ?? []).map((line) => line.id)) };
  const line = sentences.find((one) => one.id === sentence);
  return line ? { items: new Set(line.items), sentences: new Set() } : NOTHING_MARKED;
}
