/** What the ids in an address are called, as far as this page has met them. */

export class Names {
  #known = new Map();

  learn({ id, name }) {
    this.#known.set(id, name);
  }

  /** Of the rows of a list of sessions. */
  learnFrom(cards) {
    for (const { student, lesson } of cards) {
      this.learn(student);
      this.learn({ id: lesson.id, name: lesson.title });
    }
  }

  /** Until it is known, an id is one chosen by somebody else's link. */
  of(id) {
    return this.#known.get(id) ?? "The chosen one";
  }
}
