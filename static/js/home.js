/** Sends everyone to the page where their work is. */

import { html, render } from "../lib/html.js";
import { Trouble } from "../views/frame.js";
import { Api } from "./api.js";
import { homeOf } from "./roles.js";

async function begin() {
  try {
    location.replace(homeOf(await new Api().me()));
  } catch (error) {
    if (error.status === 401) location.replace("/sign-in");
    else render(html`<main class="page"><${Trouble} title="We can't open your page" text=${error.message} onRetry=${begin}><span></span><//></main>`, document.getElementById("app"));
  }
}

begin();
