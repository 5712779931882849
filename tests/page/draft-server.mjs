/** A small honest twin of the server's side of a draft: the rules of PATCH …/draft, and the network's moods. */

import { orderOf, put, same, stepOf, valueAt } from "../../static/js/draft-plan.js";

export class DraftServer {
  history = []; // every value that was ever kept, {path, value, by}

  constructor(plan) {
    this.draft = { revision: 1, plan, changed_by: null };
  }

  /** The answer to one save, in the words of the API. */
  patch({ path, was, now, after }, by) {
    const { plan, revision } = this.draft;
    const present = valueAt(plan, path);
    if (stepOf(path) && valueAt(plan, stepOf(path)) === null) return { status: 404 };
    if (!same(present, was) && !same(present, now)) {
      return { status: 409, theirs: present, by: this.draft.changed_by, revision };
    }
    if (path === "step_order" && !same([...now].sort(), orderOf(plan).sort())) return { status: 400 };
    if (!same(present, now)) {
      this.draft = { revision: revision + 1, plan: put(plan, path, now, after), changed_by: by };
      this.history.push({ path, value: now, by });
    }
    return { status: 200, path, revision: this.draft.revision, value: now, steps: orderOf(this.draft.plan) };
  }
}

/** The event that an answer to the save of `path` is; status 0 is none. */
export function answered(path, answer, at) {
  const events = {
    200: { type: "saved", revision: answer.revision, value: answer.value, steps: answer.steps },
    400: { type: "refused", sentence: "No." },
    404: { type: "failed", why: "busy", at, random: () => 0 },
    409: { type: "conflict", theirs: answer.theirs, by: answer.by, revision: answer.revision, at },
    0: { type: "failed", why: "offline", at, random: () => 0 },
  };
  return { path, ...events[answer.status] };
}
