/** Sessions, as tutors and teachers see them. */

import { begin } from "./staff.js";

begin({});
