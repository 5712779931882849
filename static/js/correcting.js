/**
 * One correction on its way: what is written is kept in this browser at once, on the server as one's draft after
 * a pause, and published when one says so. What is decided is decided in `override-form.js`.
 */

import { bodyOf, fingerprint, isSavable, isSaved, isTouched, missing, openForm, reduce } from "./override-form.js";
import { Store } from "./store.js";

const PAUSE_MS = 2_000; // each save is noted in the school's audit log: not one a word
const GONE = new Set(["summary_renewed", "target_not_found", "session_not_found"]);

export class Correcting {
  #api;
  #path;
  #keeping;
  #name;
  #after;
  #timer = null;
  #saving = Promise.resolve();
  made = null; // the draft as the server last told of it

  /**
   * @param keeping  what keeps words in this browser (`keeping.js`)
   * @param after    `{set, clear}` of timers
   */
  constructor({ api, session, keeping, after = { set: setTimeout.bind(globalThis), clear: clearTimeout.bind(globalThis) } }, thing, draft) {
    this.#api = api;
    this.#path = `/sessions/${session}/overrides`;
    this.#keeping = keeping;
    this.#name = `${session} ${thing.kind} ${thing.id}`;
    this.#after = after;
    this.store = new Store(reduce, openForm(thing, { draft, kept: readable(keeping.kept(this.#name)) }));
  }

  get state() {
    return this.store.state;
  }

  /** Something is written: "value", "note" or "reason" with what it is now. */
  write(event) {
    this.store.receive(event);
    if (isTouched(this.state)) this.#keep();
    else this.#keeping.forget(this.#name);
    this.#after.clear(this.#timer);
    this.#timer = this.#after.set(() => this.save(), PAUSE_MS);
  }

  /** The server has it, or `state.trouble` and `state.conflict` say why not. One save at a time. */
  save() {
    this.#after.clear(this.#timer);
    this.#saving = this.#saving.then(() => this.#save());
    return this.#saving;
  }

  /** The published correction; null where something stands in the way. */
  async publish() {
    if (this.state.publishing) return null;
    if (missing(this.state).length > 0) {
      this.store.receive({ type: "tried" });
      return null;
    }
    this.store.receive({ type: "publishing" });
    await this.save();
    if (!isSaved(this.state) || this.state.conflict || this.state.trouble || this.state.gone) {
      this.store.receive({ type: "refused", trouble: this.state.trouble });
      return null;
    }
    try {
      const made = await this.#api.post(`${this.#path}/${this.state.draft}/publish`);
      this.#keeping.forget(this.#name);
      return made;
    } catch (error) {
      this.#refused(error);
      return null;
    }
  }

  /** Somebody else was first, and this one shall stand in the place of theirs. */
  async publishInstead() {
    const stale = this.state.draft;
    this.store.receive({ type: "build" });
    if (stale && !this.state.draft) await this.#api.remove(`${this.#path}/${stale}`).catch(() => null);
    return this.publish();
  }

  /** Thrown away here and on the server; returns what keeps it after all, for who wants it back. */
  async drop() {
    this.#after.clear(this.#timer);
    await this.#saving;
    const { draft } = this.state;
    if (draft) await this.#api.remove(`${this.#path}/${draft}`).catch(unlessGone);
    this.#keeping.forget(this.#name);
    return () => this.#keep();
  }

  /** The form is shut; what was written stays a draft. */
  close() {
    return this.save();
  }

  #keep() {
    const { value, reasons, note, replaces } = this.state;
    this.#keeping.keep(this.#name, { value, reasons, note, replaces });
  }

  async #save() {
    const { state } = this;
    if (!isSavable(state) || isSaved(state)) return;
    this.store.receive({ type: "saving" });
    const sent = fingerprint(state);
    const body = bodyOf(state);
    try {
      const made = state.draft
        ? await this.#api.patch(`${this.#path}/${state.draft}`, body)
        : await this.#api.post(this.#path, { target: { kind: state.thing.kind, id: state.thing.id }, ...body });
      this.made = made;
      this.store.receive({ type: "saved", draft: made.id, fingerprint: sent });
      if (isSaved(this.state)) this.#keeping.forget(this.#name);
    } catch (error) {
      this.#refused(error);
    }
  }

  #refused(error) {
    const { code, message, body } = error;
    if (code === "override_conflict") this.store.receive({ type: "conflict", published: body?.published ?? null });
    else if (GONE.has(code)) this.store.receive({ type: "gone", sentence: message });
    else if (code === "override_not_found" || code === "override_published") {
      this.store.receive({ type: "lost" });
      this.store.receive({ type: "refused", trouble: { sentence: LOST } });
    } else this.store.receive({ type: "refused", trouble: { sentence: sentenceOf(error), param: body?.param } });
  }
}

const LOST = "Your draft was published or thrown away in another window. Your words are still here: publish them again if they are needed.";

function sentenceOf({ status, message }) {
  return status === 0 ? `${message} Your words are kept in this browser.` : message;
}

function unlessGone(error) {
  if (error.status !== 404) throw error;
}

function readable(kept) {
  const whole = kept && typeof kept.value === "string" && Array.isArray(kept.reasons) && typeof kept.note === "string";
  return whole ? kept : null;
}
