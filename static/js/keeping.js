/**
 * What one writes and has not sent, kept in this browser. `keep(name, content)`, `kept(name)`, `forget(name)`;
 * where the browser keeps nothing, the page goes on without.
 */
export class Keeping {
  #storage;
  #prefix;

  constructor(prefix, storage = browserStorage()) {
    this.#prefix = prefix;
    this.#storage = storage;
  }

  keep(name, content) {
    try {
      this.#storage?.setItem(`${this.#prefix} ${name}`, JSON.stringify(content));
    } catch {
      // full, or forbidden
    }
  }

  kept(name) {
    try {
      const found = JSON.parse(this.#storage?.getItem(`${this.#prefix} ${name}`) ?? "null");
      return found !== null && typeof found === "object" ? found : null;
    } catch {
      return null;
    }
  }

  forget(name) {
    try {
      this.#storage?.removeItem(`${this.#prefix} ${name}`);
    } catch {
      // as above
    }
  }
}

function browserStorage() {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}
