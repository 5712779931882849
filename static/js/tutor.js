/** Sessions, as tutors and teachers see them. */

import { html } from "../lib/html.js";
import { Sessions } from "../views/desk-list.js";
import { DeskSession } from "../views/desk-session.js";
import { begin } from "./staff.js";

begin({
  sessions: { title: "Sessions", draw: (shared) => html`<${Sessions} ...${shared} />` },
  session: { title: "Session", draw: (shared) => html`<${DeskSession} key=${shared.place.session} ...${shared} />` },
});
