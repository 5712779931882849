import { html, render } from "../lib/html.js";
import { SignIn } from "../views/sign-in.js";
import { Api } from "./api.js";

render(html`<${SignIn} api=${new Api()} />`, document.getElementById("app"));
