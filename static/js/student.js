/** The student's pages: who am I, which address is this, draw its view. */

import { html, render } from "../lib/html.js";
import { Frame, Trouble } from "../views/frame.js";
import { Home } from "../views/home.js";
import { Lesson } from "../views/lesson.js";
import { Session } from "../views/session.js";
import { Api } from "./api.js";
import { followLinks, route } from "./router.js";

const TITLES = { home: "Your lessons", lesson: "Lesson", session: "A past lesson", missing: "Not found" };

const api = new Api();
const app = document.getElementById("app");
let me = null;
let saving = Promise.resolve();

function signIn() {
  location.replace(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
}

async function signOut() {
  await api.signOut().catch(() => null);
  location.assign("/sign-in");
}

/** Choices that last: kept with the student, one after the other; a failure costs only the memory of it. */
function prefer(preferences) {
  me.preferences = { ...me.preferences, ...preferences };
  document.documentElement.dataset.text = me.preferences.text_size ?? "normal";
  const all = me.preferences;
  saving = saving.then(() => api.prefer(all)).catch(() => null);
}

function draw() {
  const { view, ...place } = route(location.pathname);
  document.title = `${TITLES[view]} · Student Connect`;
  const shared = { api, me, prefer, onSignOut: signOut, onSignedOut: signIn };
  if (view === "lesson") {
    const session = new URLSearchParams(location.search).get("session");
    render(html`<${Lesson} key=${place.lesson} ...${shared} slug=${place.lesson} session=${session} />`, app);
    return;
  }
  const content = {
    home: () => html`<${Home} ...${shared} />`,
    session: () => html`<${Session} key=${place.session} ...${shared} session=${place.session} />`,
    missing: () => html`<${Trouble} title="There is no such page" text="The address may have a slip in it." />`,
  }[view]();
  render(html`<${Frame} api=${api} me=${me} onSignOut=${signOut}>${content}<//>`, app);
}

function go() {
  draw();
  window.scrollTo(0, 0);
  document.getElementById("main")?.focus();
}

async function begin() {
  try {
    me = await api.me();
  } catch (error) {
    if (error.status === 401) signIn();
    else render(html`<main class="page"><${Trouble} title="We can't open your page" text=${error.message} onRetry=${begin}><span></span><//></main>`, app);
    return;
  }
  document.documentElement.dataset.text = me.preferences.text_size ?? "normal";
  followLinks(window, go);
  draw();
}

begin();
