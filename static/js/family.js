/** What parents see of their children's lessons. */

import { html } from "../lib/html.js";
import { Child } from "../views/family-child.js";
import { Children } from "../views/family-children.js";
import { begin } from "./staff.js";

begin({
  children: { title: "My children", draw: (shared) => html`<${Children} ...${shared} />` },
  child: { title: "Lessons", draw: (shared) => html`<${Child} key=${shared.place.child} ...${shared} />` },
});
