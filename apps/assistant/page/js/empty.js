// What a new conversation shows: things to ask that the bundled model understands.

import { h } from "./dom.js";

const EXAMPLES = [
  ["Home", "Turn on the kitchen light"],
  ["Several at once", "Turn on the fan and make the living room blue"],
  ["Timers", "Set a tea timer for 3 minutes"],
  ["Lists", "Add milk and eggs to the shopping list"],
  ["Sums", "What is 18% of 240?"],
  ["Reminders", "Remind me tomorrow at 9 to call mum"],
];

export function drawEmpty(place, ask) {
  place.replaceChildren(
    h("h2", {}, "What can I do for you?"),
    h("p", { class: "muted" }, "I act on this machine and nowhere else. What changes something is shown to you first."),
    h("ul", { class: "plain examples" }, EXAMPLES.map(([kind, text]) => h("li", {},
      h("button", { type: "button", onclick: () => ask(text) }, h("span", { class: "muted" }, kind), h("span", {}, text))))),
    h("p", { class: "muted small-print" }, "Or call a tool yourself: ", h("code", {}, "/set_light room=kitchen brightness=40"), ", and ", h("code", {}, "/help"), " lists them."));
}
