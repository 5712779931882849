import { orderOf, stepOf } from "../js/draft-plan.js";
import { penOf } from "../js/draft-pen.js";
import { conflicts, revisionOf, standing } from "../js/draft.js";
import { DraftDesk } from "../js/draft-desk.js";
import { Keeper, localStore } from "../js/draft-keeper.js";
import { follow } from "../js/news.js";
import { placeOf } from "../js/plan-words.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "../lib/html.js";
import { BriefPane, FindingsPane } from "./author-brief.js";
import { Publish, TryIt } from "./author-dialogs.js";
import { fieldId } from "./author-field.js";
import { PlanForm } from "./author-form.js";
import { LessonNav, SaveState, announcement } from "./author-head.js";
import { useFolds } from "./author-steps.js";
import { Loading, Trouble } from "./frame.js";
import { useKeys } from "./keys.js";
import { useLoad } from "./load.js";
import { Tabs } from "./tabs.js";

/** The editor of one lesson: fetches it, then writes. */
export function Editor({ api, me, place, go, retitle }) {
  const load = useLoad(() => opened(api, me, place.lesson), place.lesson);
  const desk = load.value?.desk;
  useEffect(() => (desk ? watch(desk) : undefined), [desk]);
  if (load.error) return html`<${Trouble} title="We can't open this lesson" text=${load.error.message} onRetry=${load.again}><a class="button" href="/instructor">Lessons</a><//>`;
  if (!load.value) return html`<${Loading} what="Fetching the lesson" />`;
  return html`<${Writing} api=${api} me=${me} go=${go} retitle=${retitle} desk=${desk} lesson=${load.value.lesson} subjects=${load.value.subjects}
    onLesson=${(lesson) => load.set({ ...load.value, lesson })} />`;
}

async function opened(api, me, id) {
  const [lesson, { subjects }] = await Promise.all([
    api.get(`/school/lessons/${encodeURIComponent(id)}`),
    api.get("/school/lessons", { limit: 1 }).catch(() => ({ subjects: [] })),
  ]);
  const keeper = new Keeper(localStore(window), lesson.id, me.id);
  return { lesson, subjects, desk: new DraftDesk({ api, lesson: lesson.id, first: lesson.draft, keeper }) };
}

/** As long as the page shows the draft: follow what others write, and lose nothing when the page goes. */
function watch(desk) {
  let streams = false;
  const stop = follow({
    hear: (name, about) => name === "lesson.changed" && about.lesson_id === desk.lesson && desk.changed(about.revision),
    refresh: () => desk.look(),
    line: (isOpen) => {
      streams = isOpen;
    },
  });
  desk.follow(() => !streams && !document.hidden);
  const hidden = () => document.hidden && desk.sendAll();
  const leaving = (event) => {
    desk.sendAll();
    if (!desk.keeper.works && standing(desk.state) !== "saved") event.preventDefault();
  };
  const back = () => desk.hurry();
  const on = [[document, "visibilitychange", hidden], [window, "beforeunload", leaving], [window, "online", back]];
  for (const [target, name, listener] of on) target.addEventListener(name, listener);
  return () => {
    stop();
    for (const [target, name, listener] of on) target.removeEventListener(name, listener);
    desk.close();
  };
}

function Writing({ api, me, go, retitle, desk, lesson, subjects, onLesson }) {
  const state = useStore(desk.store);
  const { value: checked, error: unchecked } = useStore(desk.check);
  const [dialog, setDialog] = useState(null); // null | publish | try
  const [tab, setTab] = useState("write"); // where the form stands beside the tabs, that is the first of them
  const [deciding, setDeciding] = useState({ merging: [], taken: null }); // taken: {path, mine}
  const [said, announce] = useState("");
  const [done, setDone] = useState(null);
  const [at, setAt] = useState(null); // the field that has the focus
  const folds = useFolds(orderOf(state.plan));
  const isWide = useWide();
  const goTo = useGoTo(folds, () => !isWide && setTab("write"));
  const { plan } = state;
  useEffect(() => retitle(plan.title || "Without a title"), [plan.title]);

  const how = standing(state);
  const before = useRef(how);
  useEffect(() => {
    const text = announcement(before.current, how, state.line);
    before.current = how;
    if (text) announce(text);
  }, [how]);

  const findings = checked?.findings ?? [];
  const pen = penOf({
    desk, state, findings, me, announce, ...deciding,
    onDecide(path, next) {
      setDeciding(next);
      goTo(path);
    },
  });
  const troubles = [...conflicts(state), ...state.edits.filter((edit) => edit.state === "refused")].map(({ path }) => path);
  const where = troubles.map((path) => placeOf(path, orderOf(plan))).join("; ");
  const published = async (version) => {
    setDialog(null);
    setDone(`Published as version ${version.number}.`);
    onLesson({ ...lesson, ...(await api.get(`/school/lessons/${lesson.id}`).catch(() => ({}))) });
  };
  const keys = useKeys([
    { key: "t", title: "Try it as a student", act: () => setDialog("try") },
    { key: "p", title: "Publish", act: () => setDialog("publish") },
    { key: "f", title: "What to mend", act: () => setTab("findings") },
    { key: "b", title: "What the tutor gets", act: () => setTab("brief") },
    { key: "w", title: "Write: back to the form", act: () => goTo("title") },
    { key: "Alt+Shift+↑", title: "Move the step one up (also while typing in it)" },
    { key: "Alt+Shift+↓", title: "Move the step one down" },
  ]);
  const errors = findings.filter(({ severity }) => severity === "error").length;
  const form = html`<div class="plan-pane" onFocusin=${(event) => setAt(event.target.closest("[data-path]")?.dataset.path ?? null)}>
    <${PlanForm} pen=${pen} plan=${plan} folds=${folds} subjects=${subjects} /></div>`;
  const tabs = [
    { key: "findings", title: "To mend", count: checked ? findings.length : null, content: () => (checked
      ? html`<${FindingsPane} findings=${findings} onGo=${goTo} />`
      : html`<p class="faint">${unchecked?.message ?? "Reading the lesson…"}</p>`) },
    { key: "brief", title: "What the tutor gets", content: () => html`<${BriefPane} parts=${checked?.brief ?? []} onGo=${goTo} at=${at} />` },
  ];
  const saved = html`<${SaveState} standing=${how} line=${state.line} where=${where} keeps=${desk.keeper.works} onGo=${() => goTo(troubles[0])} onRetry=${() => desk.hurry()} />`;
  const shown = { ...lesson, has_changes: lesson.has_changes || revisionOf(state) > lesson.draft.revision };
  return html`<${LessonNav} lesson=${shown} current="Write" title=${plan.title}>
      <div class="actions">
        <a class="button quiet" href=${`/api/v1/school/lessons/${lesson.id}/export?format=yaml`} download>Export as YAML</a>
        <button type="button" class="button" onClick=${() => setDialog("try")}>Try it</button>
        <button type="button" class="button primary" onClick=${() => setDialog("publish")}>Publish</button>
      </div>
    <//>
    ${isWide && html`<div class="editor-bar">${saved}</div>`}
    ${lesson.state === "archived" && html`<${Archived} api=${api} lesson=${lesson} onLesson=${onLesson} />`}
    ${done && html`<p class="done" role="status">${done} <a href=${`/instructor/lessons/${lesson.id}/assignments`}>Assign it</a></p>`}
    <p class="for-screen-reader" role="status">${said}</p>
    <div class="editor" data-wide=${isWide}>
      ${isWide && form}
      <div class="editor-side">
        <${Tabs} label="Beside the form" head=${!isWide && saved} tabs=${isWide ? tabs : [{ key: "write", title: "Plan", content: () => form }, ...tabs]}
          current=${isWide && tab === "write" ? "findings" : tab} onChange=${setTab} />
      </div>
    </div>
    ${dialog === "publish" && html`<${Publish} desk=${desk} api=${api} lesson=${shown} title=${plan.title} onClose=${() => setDialog(null)} onPublished=${published} onGo=${goTo} />`}
    ${dialog === "try" && html`<${TryIt} desk=${desk} api=${api} lesson=${lesson} onClose=${() => setDialog(null)} onGo=${goTo} />`}
    ${keys}`;
}

/** Written in, but in nobody's list. */
function Archived({ api, lesson, onLesson }) {
  const [trouble, setTrouble] = useState(null);
  const bring = () => api.post(`/school/lessons/${lesson.id}/restore`).then(
    (next) => onLesson({ ...lesson, ...next }), (error) => setTrouble(error.message),
  );
  return html`<p class="note">This lesson is archived: students don't see it. <button type="button" class="link" onClick=${bring}>Bring it back</button>
    ${trouble && html` <span role="alert">${trouble}</span>`}</p>`;
}

function useStore(store) {
  const [state, setState] = useState(store.state);
  useEffect(() => {
    setState(store.state);
    return store.subscribe(setState);
  }, [store]);
  return state;
}

/**
 * Leads to the field of a path: its step is unfolded, the form shown, and after that is drawn the nearest control
 * gets the focus.
 */
function useGoTo(folds, showForm) {
  const wanted = useRef(null);
  const [, setTurn] = useState(0);
  useLayoutEffect(() => {
    if (wanted.current === null) return;
    const control = nearest(wanted.current);
    wanted.current = null;
    const hidden = control?.closest("details");
    if (hidden) hidden.open = true;
    control?.focus();
    control?.scrollIntoView({ block: "center" });
  });
  return (path) => {
    const field = path || "title";
    const step = stepOf(`${field}.`);
    if (step) folds.open(step.slice("steps.".length));
    showForm();
    wanted.current = field;
    setTurn((turn) => turn + 1);
  };
}

/** The control of a path, or of what it lies in. */
function nearest(path) {
  for (let at = path; at; at = at.slice(0, Math.max(0, at.lastIndexOf(".")))) {
    const found = document.getElementById(fieldId(at));
    if (found) return found.matches("fieldset") ? (found.querySelector("input, textarea, select") ?? found) : found;
  }
  return document.getElementById(path.startsWith("step") ? "add-step" : fieldId("title"));
}

const WIDE = "(min-width: 64rem)";

function useWide() {
  const [wide, setWide] = useState(() => matchMedia(WIDE).matches);
  useEffect(() => {
    const query = matchMedia(WIDE);
    const change = () => setWide(query.matches);
    query.addEventListener("change", change);
    return () => query.removeEventListener("change", change);
  }, []);
  return wide;
}
