/** Holds one state, changes it by events only, and tells who draws it; at most once a frame. */

export class Store {
  #reduce;
  #listeners = new Set();
  #due = false;

  constructor(reduce, state) {
    this.#reduce = reduce;
    this.state = state;
  }

  receive(event) {
    const next = this.#reduce(this.state, event);
    if (next === this.state) return;
    this.state = next;
    if (this.#due) return;
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      for (const listener of this.#listeners) listener(this.state);
    });
  }

  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
