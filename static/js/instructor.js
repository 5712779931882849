/** Lessons, as their authors see them. */

import { html } from "../lib/html.js";
import { Assignments } from "../views/author-assignments.js";
import { Editor } from "../views/author-editor.js";
import { Lessons } from "../views/author-lessons.js";
import { New } from "../views/author-new.js";
import { Versions } from "../views/author-versions.js";
import { begin } from "./staff.js";

begin({
  lessons: { title: "Lessons", draw: (shared) => html`<${Lessons} ...${shared} />` },
  new: { title: "New lesson", draw: (shared) => html`<${New} ...${shared} />` },
  editor: { title: "Lesson", draw: (shared) => html`<${Editor} key=${shared.place.lesson} ...${shared} />` },
  versions: { title: "Versions", draw: (shared) => html`<${Versions} key=${shared.place.lesson} ...${shared} />` },
  assignments: { title: "Assignments", draw: (shared) => html`<${Assignments} key=${shared.place.lesson} ...${shared} />` },
});
