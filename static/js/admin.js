/** The school office. */

import { html } from "../lib/html.js";
import { Audit } from "../views/office-audit.js";
import { Care } from "../views/office-care.js";
import { Class } from "../views/office-class.js";
import { Classes } from "../views/office-classes.js";
import { Engines } from "../views/office-engines.js";
import { Import } from "../views/office-import.js";
import { LimitNotice } from "../views/office-limits.js";
import { NewPerson } from "../views/office-new.js";
import { People } from "../views/office-people.js";
import { Person } from "../views/office-person.js";
import { Settings } from "../views/office-settings.js";
import { Usage } from "../views/office-usage.js";
import { begin } from "./staff.js";

/** A view below what the office should know wherever it is. */
const noticed = ({ title, draw }) => ({ title, draw: (shared) => html`<div><${LimitNotice} api=${shared.api} />${draw(shared)}</div>` });

const VIEWS = {
  people: { title: "People", draw: (shared) => html`<${People} ...${shared} />` },
  new: { title: "New person", draw: (shared) => html`<${NewPerson} ...${shared} />` },
  import: { title: "Import people", draw: (shared) => html`<${Import} ...${shared} />` },
  person: { title: "Account", draw: (shared) => html`<${Person} key=${shared.place.person} ...${shared} />` },
  classes: { title: "Classes", draw: (shared) => html`<${Classes} ...${shared} />` },
  class: { title: "Class", draw: (shared) => html`<${Class} key=${shared.place.class} ...${shared} />` },
  care: { title: "Tutors and students", draw: (shared) => html`<${Care} ...${shared} />` },
  settings: { title: "Settings", draw: (shared) => html`<${Settings} ...${shared} />` },
  engines: { title: "Tutor engines", draw: (shared) => html`<${Engines} ...${shared} />` },
  usage: { title: "Use and cost", draw: (shared) => html`<${Usage} ...${shared} />` },
  audit: { title: "Audit log", draw: (shared) => html`<${Audit} ...${shared} />` },
};

begin({ ...Object.fromEntries(Object.entries(VIEWS).map(([name, view]) => [name, noticed(view)])), usage: VIEWS.usage });
