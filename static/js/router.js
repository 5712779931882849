/** Which view an address means; and, for the browser, how to go from one to the next without a reload. */

const PATHS = {
  student: { "": "home", "lessons/:lesson": "lesson", "sessions/:session": "session" },
  instructor: {
    "": "lessons", "new": "new", "lessons/:lesson": "editor", "lessons/:lesson/versions": "versions",
    "lessons/:lesson/assignments": "assignments",
  },
  tutor: { "": "sessions", "sessions/:session": "session", "live": "live", "live/:session": "follow" },
  family: { "": "children", ":child": "child" },
  admin: {
    "": "people", "people/new": "new", "people/import": "import", "people/:person": "person",
    "classes": "classes", "classes/:class": "class", "care": "care", "settings": "settings", "engines": "engines", "usage": "usage",
    "audit": "audit",
  },
};
const ROUTES = Object.entries(PATHS).flatMap(([page, paths]) => Object.entries(paths).map(([path, view]) => {
  const names = [...path.matchAll(/:(\w+)/g)].map((match) => match[1]);
  const tail = path && `\\/${path.replace(/:\w+/g, "([^/]+)").replaceAll("/", "\\/")}`;
  return [new RegExp(`^\\/${page}${tail}\\/?$`), page, view, names];
}));

export function route(path) {
  for (const [pattern, page, view, names] of ROUTES) {
    const match = pattern.exec(path);
    if (match) return { page, view, ...Object.fromEntries(names.map((name, i) => [name, decode(match[i + 1])])) };
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

/** Follows plain clicks on links inside one page's views, and Back and Forward; tells `go` each time. */
export function followLinks(window, go) {
  window.addEventListener("popstate", () => go());
  window.document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (link.target || link.hasAttribute("download") || link.origin !== window.location.origin) return;
    const { page } = route(link.pathname);
    if (!page || page !== route(window.location.pathname).page || link.hash) return;
    event.preventDefault();
    window.history.pushState(null, "", link.href);
    go();
  });
}
