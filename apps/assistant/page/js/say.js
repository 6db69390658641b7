// What screen readers are told, beside what is seen.

import { $ } from "./dom.js";

/** At the next pause. */
export function say(text) {
  const place = $("say");
  place.textContent = "";
  setTimeout(() => { place.textContent = text; }, 60);
}

/** At once. */
export function sayNow(text) {
  const place = $("say-now");
  place.textContent = "";
  setTimeout(() => { place.textContent = text; }, 60);
}
