// What the page does beyond HTML. Everything here is an addition: without it every form and the player still work.
import "./page.css";
import { keepDraft } from "./brief";
import { sendOnce } from "./forms";
import { player } from "./player";
import { deviceTime } from "./zone";

keepDraft();
sendOnce();  // after whoever may hold a form back
deviceTime();
player();
// What was just done is said once, not with every reload.
if (location.search) history.replaceState(null, "", location.pathname);
