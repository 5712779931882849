/** What happens at the school, as it happens (`GET /api/v1/events`): what to ask for anew, never the thing itself. */

const ADDRESS = "/api/v1/events";
const AGAIN_MS = [5_000, 60_000]; // a refused line (the server restarts, say) is tried again so late, ever more rarely
const NEWS = ["session.changed", "session.reviewed", "override.published", "summary.renewed", "lesson.changed"];

/**
 * Follows the school's news until the function that comes back is called.
 *
 * `hear(name, about)`: news, with ids. `refresh()`: something may have been missed (the line was cut, the page
 * was hidden): ask anew for all that is shown. `closed(reason)`: "signed_out", or "too_many" where other windows
 * of the same person follow. `line(isOpen)`: whether news would come. A hidden window does not follow: a browser
 * keeps few lines open to one site.
 */
export function follow({ hear, refresh, closed = () => {}, line = () => {} }, { Source = EventSource, page = document, after = setTimeout } = {}) {
  let source = null;
  let missed = false; // not the first time: the page has just asked for what it shows
  let [againMs, longestMs] = AGAIN_MS;
  let stopped = false;

  function open() {
    source = new Source(ADDRESS);
    source.addEventListener("open", () => {
      [againMs] = AGAIN_MS;
      line(true);
      if (missed) refresh();
      missed = true;
    });
    source.addEventListener("error", () => {
      line(false);
      if (source?.readyState !== 2) return; // it comes back by itself
      shut();
      missed = true;
      after(look, againMs);
      againMs = Math.min(2 * againMs, longestMs);
    });
    for (const name of NEWS) source.addEventListener(name, ({ data }) => hear(name, JSON.parse(data)));
    source.addEventListener("missed", () => refresh());
    source.addEventListener("closed", ({ data }) => {
      stop();
      closed(JSON.parse(data).reason);
    });
  }

  function shut() {
    line(false);
    source?.close();
    source = null;
  }

  function look() {
    if (stopped) return;
    if (page.hidden) shut();
    else if (!source) open();
  }

  function stop() {
    stopped = true;
    page.removeEventListener("visibilitychange", look);
    shut();
  }

  page.addEventListener("visibilitychange", look);
  look();
  return stop;
}
