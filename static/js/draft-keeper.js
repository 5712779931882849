/**
 * What one typed and the server has not, kept in this browser by lesson and person. Two windows on the same
 * lesson share the place: each takes away only what it put there itself.
 */

export class Keeper {
  #storage;
  #place;
  #put = new Map(); // path -> what this window last kept of it
  works = true;

  constructor(storage, lesson, person) {
    this.#storage = storage;
    this.#place = `draft ${lesson} ${person}`;
  }

  /** The edits that are kept, oldest first. */
  kept() {
    return this.#read();
  }

  keep(edits) {
    const mine = new Map(edits.map((edit) => [edit.path, JSON.stringify(edit)]));
    const left = this.#read().filter((edit) => !mine.has(edit.path) && this.#put.get(edit.path) !== JSON.stringify(edit));
    this.#put = mine;
    this.#write([...left, ...edits]);
  }

  #read() {
    try {
      const kept = JSON.parse(this.#storage.getItem(this.#place) ?? "[]");
      return Array.isArray(kept) ? kept.filter((edit) => typeof edit?.path === "string") : [];
    } catch {
      return [];
    }
  }

  #write(edits) {
    try {
      if (edits.length === 0) this.#storage.removeItem(this.#place);
      else this.#storage.setItem(this.#place, JSON.stringify(edits));
      this.works = true;
    } catch {
      this.works = false; // full, or forbidden: the page warns before it is left
    }
  }
}

/** The browser's own store; where it is forbidden, a place that can't keep. */
export function localStore(window) {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}
