/** The help is for everybody; who is signed in also has the links of the other pages. */

import { showPerson, whoIsHere } from "../lib/page.js";

whoIsHere().then(showPerson, () => {});
