/** What parents see of their children's lessons. */

import { begin } from "./staff.js";

begin({});
