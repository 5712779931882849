/**
 * The shell around `draft.js`: sends what is ready, keeps what is not saved, listens for what others write, and
 * asks for the brief and the findings after each change. All that decides is in `draft.js`.
 */

import { begin, ready, reduce, revisionOf, standing, unsaved, wakeAt } from "./draft.js";
import { Store } from "./store.js";

const LOOK_MS = 5_000; // without the stream of events
const CHECK_MS = 250; // after a change

export class DraftDesk {
  #api;
  #path;
  #clock;
  #timers = {};
  #looking = false;
  #lookAgain = false;
  #checked = null; // the revision that was asked about last
  #closed = false;

  /** `first`: the draft as it was fetched; `keeper`: js/draft-keeper.js; `clock`: ms. */
  constructor({ api, lesson, first, keeper, clock = () => Date.now() }) {
    this.#api = api;
    this.#path = `/school/lessons/${encodeURIComponent(lesson)}/draft`;
    this.#clock = clock;
    this.lesson = lesson;
    this.keeper = keeper;
    this.store = new Store(reduce, begin(first, keeper.kept(), clock()));
    this.check = new Store((_, next) => next, { value: null, error: null });
    this.#go();
  }

  get state() {
    return this.store.state;
  }

  type(path, now, { after = null, wait = true } = {}) {
    this.#receive({ type: "typed", path, now, after, at: this.#clock(), wait });
  }

  leave(path) {
    this.#receive({ type: "left", path, at: this.#clock() });
  }

  resolve(path, how) {
    this.#receive({ type: "resolved", path, how, at: this.#clock() });
  }

  /** Everything that can be saved is sent at once. Resolves when nothing is under way; true: all is saved. */
  async flush() {
    this.hurry();
    while (standing(this.state) === "saving" && !this.#closed) await this.#change();
    return standing(this.state) === "saved";
  }

  hurry() {
    this.#receive({ type: "hurried", at: this.#clock() });
  }

  /** Fetches the draft as it stands; while one look is under way, one more follows. */
  async look() {
    if (this.#looking) {
      this.#lookAgain = true;
      return;
    }
    this.#looking = true;
    try {
      this.#receive({ type: "heard", draft: await this.#api.get(this.#path) });
    } catch {
      // The next look will do.
    }
    this.#looking = false;
    if (this.#lookAgain && !this.#closed) {
      this.#lookAgain = false;
      await this.look();
    }
  }

  /** Somebody, perhaps this window, changed the draft. */
  changed(revision) {
    if (!(revision <= revisionOf(this.state))) this.look();
  }

  /** Looks now and then, as long as nothing else tells. */
  follow(isNeeded) {
    clearInterval(this.#timers.look);
    this.#timers.look = setInterval(() => isNeeded() && this.look(), LOOK_MS);
  }

  close() {
    this.#closed = true;
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    this.#send({ keepalive: true, at: Number.MAX_SAFE_INTEGER });
  }

  /** The page may be gone in a moment: what is typed goes out now. */
  sendAll() {
    this.hurry();
    this.#send({ keepalive: true, at: this.#clock() });
  }

  #receive(event) {
    this.store.receive(event);
    this.#go();
  }

  #go() {
    this.keeper.keep(unsaved(this.state));
    if (this.#closed) return;
    this.#send({ at: this.#clock() });
    clearTimeout(this.#timers.wake);
    const wake = wakeAt(this.state);
    if (wake !== null) this.#timers.wake = setTimeout(() => this.#go(), Math.max(0, wake - this.#clock()));
    this.#checkSoon();
  }

  #send({ keepalive = false, at }) {
    for (const save of ready(this.state, at)) this.#save(save, keepalive);
  }

  async #save({ path, was, now, after }, keepalive) {
    this.store.receive({ type: "sending", path, now });
    let event;
    try {
      const answer = await this.#api.patch(this.#path, { path, was, now, ...(after && { after }) }, { keepalive });
      event = { type: "saved", revision: answer.revision, value: answer.value ?? null, steps: answer.steps };
    } catch (error) {
      event = outcome(error);
    }
    this.#receive({ ...event, path, at: this.#clock() });
    if (event.look) this.look();
  }

  #checkSoon() {
    const revision = revisionOf(this.state);
    if (revision === this.#checked) return;
    this.#checked = revision;
    clearTimeout(this.#timers.check);
    this.#timers.check = setTimeout(() => this.checkNow(), this.check.state.value ? CHECK_MS : 0);
  }

  async checkNow() {
    try {
      const value = await this.#api.get(`${this.#path}/check`);
      if (!this.#closed && value.revision >= (this.check.state.value?.revision ?? 0)) this.check.receive({ value, error: null });
    } catch (error) {
      this.check.receive({ value: this.check.state.value, error });
    }
  }

  #change() {
    return new Promise((done) => {
      const stop = this.store.subscribe(() => {
        stop();
        done();
      });
    });
  }
}

/** What the refusal of a save means; `look`: the draft is another than was thought. */
export function outcome(error) {
  const { status, code, body, message } = error;
  if (status === 409 && code === "draft_conflict") {
    return { type: "conflict", theirs: body.theirs ?? null, by: body.changed_by, revision: body.revision, look: true };
  }
  if ([400, 403, 409, 413, 415, 422].includes(status)) return { type: "refused", sentence: message };
  const why = { 0: "offline", 401: "signed-out" }[status] ?? "busy";
  return { type: "failed", why, retryAfterMs: (error.retryAfterS ?? 0) * 1000, look: status === 404 };
}
