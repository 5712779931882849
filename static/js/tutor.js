/** Sessions, as tutors and teachers see them: reviewed when they are over, followed while they run. */

import { html } from "../lib/html.js";
import { Follow } from "../views/desk-follow.js";
import { Sessions } from "../views/desk-list.js";
import { Live } from "../views/desk-live.js";
import { DeskSession } from "../views/desk-session.js";
import { begin } from "./staff.js";

begin({
  sessions: { title: "Sessions", draw: (shared) => html`<${Sessions} ...${shared} />` },
  session: { title: "Session", draw: (shared) => html`<${DeskSession} key=${shared.place.session} ...${shared} />` },
  live: { title: "Live", draw: (shared) => html`<${Live} ...${shared} />` },
  follow: { title: "A running lesson", draw: (shared) => html`<${Follow} key=${shared.place.session} ...${shared} />` },
});
