/** Lessons, as their authors see them. */

import { begin } from "./staff.js";

begin({});
