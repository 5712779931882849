/** Which view an address means; and, for the browser, how to go from one to the next without a reload. */

const ROUTES = [
  [/^\/student\/?$/, "home", []],
  [/^\/student\/lessons\/([^/]+)\/?$/, "lesson", ["lesson"]],
  [/^\/student\/sessions\/([^/]+)\/?$/, "session", ["session"]],
];

export function route(path) {
  for (const [pattern, view, names] of ROUTES) {
    const match = pattern.exec(path);
    if (match) return { view, ...Object.fromEntries(names.map((name, i) => [name, decode(match[i + 1])])) };
  }
  return { view: "missing" };
}

/** Where to go after signing in: only a path of our own. */
export function safeNext(next) {
  return typeof next === "string" && /^\/(?![/\\])/.test(next) ? next : "/";
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Follows plain clicks on links inside the student's pages, and Back and Forward; tells `go` each time. */
export function followLinks(window, go) {
  window.addEventListener("popstate", () => go());
  window.document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (link.target || link.hasAttribute("download") || link.origin !== window.location.origin) return;
    if (route(link.pathname).view === "missing" || link.hash) return;
    event.preventDefault();
    window.history.pushState(null, "", link.href);
    go();
  });
}
