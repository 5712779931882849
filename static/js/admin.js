/** The school office. */

import { begin } from "./staff.js";

begin({});
