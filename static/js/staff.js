/** What every page of staff and families does: who am I, which address is this, draw its view. */

import { html, render } from "../lib/html.js";
import { Trouble } from "../views/frame.js";
import { StaffFrame } from "../views/staff-frame.js";
import { Api } from "./api.js";
import { followLinks, route } from "./router.js";

/**
 * `views`: by name, `{title, draw(shared)}`; `shared` is `{api, me, place, search, go, retitle}`. `go(address)`
 * opens another address of this page, `go(address, {replace: true})` without a step for Back.
 */
export function begin(views) {
  const api = new Api();
  const app = document.getElementById("app");
  let me = null;

  async function signOut() {
    await api.signOut().catch(() => null);
    location.assign("/sign-in");
  }

  function draw() {
    const place = route(location.pathname);
    const view = views[place.view];
    const retitle = (title) => {
      document.title = `${title} · Student Connect`;
    };
    retitle(view?.title ?? "Not found");
    const content = view
      ? view.draw({ api, me, place, search: location.search, go, retitle })
      : html`<${Trouble} title="There is no such page" text="The address may have a slip in it."><span></span><//>`;
    render(html`<${StaffFrame} api=${api} me=${me} path=${location.pathname} onSignOut=${signOut}>${content}<//>`, app);
  }

  function arrive() {
    draw();
    window.scrollTo(0, 0);
    document.getElementById("main")?.focus();
  }

  function go(address, { replace = false } = {}) {
    history[replace ? "replaceState" : "pushState"](null, "", address);
    if (replace) draw();
    else arrive();
  }

  async function open() {
    try {
      me = await api.me();
    } catch (error) {
      if (error.status === 401) location.replace(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
      else render(html`<main class="page"><${Trouble} title="We can't open your page" text=${error.message} onRetry=${open}><span></span><//></main>`, app);
      return;
    }
    followLinks(window, arrive);
    draw();
  }

  open();
}
