/** Where the keyboard goes on after something on the page has come or gone. */

export function focusOn(id) {
  requestAnimationFrame(() => document.getElementById(id)?.focus());
}
