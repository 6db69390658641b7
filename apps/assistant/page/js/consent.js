// The question before something is changed. It shows exactly what runs, and takes no key that was meant for something else.

import { post } from "./api.js";
import { h, icon, visible } from "./dom.js";
import { sayNow } from "./say.js";
import { on, question, state } from "./state.js";

const QUIET = 500;  // ms before clicks count, and without a key before keys do: nobody consents by typing on
const WHY = {
  first: "It asks because you have not said “always” to this yet.",
  untrusted: "Text was read before that is kept or from elsewhere. It could have asked for this, so you are asked every time.",
  always_asks: "This asks every time.",
};
const EFFECTS = { write: "writes", setting: "changes a setting", read: "only looks" };

/** stop: ends the whole turn, which refuses what waits. */
export function drawConsent(place, stop, failed) {
  let shown = null, openedAt = 0, typedAt = 0, back = null;

  const answer = async (how) => {
    const call = shown;
    if (!call || performance.now() - openedAt < QUIET || (how === "always" && !call.may_remember)) return;
    try {
      await post(`/api/calls/${call.id}/consent`, { answer: how, digest: call.digest });
    } catch (error) {
      failed(error);
    }
  };

  place.addEventListener("keydown", (event) => {
    const early = performance.now() - typedAt < QUIET;
    typedAt = early || event.repeat ? performance.now() : typedAt;
    if (event.key === "Tab" || event.key === "Shift") return;
    const how = { 1: "once", 2: "always", 3: "refuse", Escape: "refuse" }[event.key];
    if (early && (how || event.key === "Enter" || event.key === " ")) { event.preventDefault(); event.stopPropagation(); return; }
    if (how && !event.ctrlKey && !event.altKey && !event.metaKey) { event.preventDefault(); event.stopPropagation(); answer(how); }
  }, true);

  const update = () => {
    const call = question();
    if (call?.id === shown?.id && call?.digest === shown?.digest) return;
    const had = place.contains(document.activeElement);
    if (shown === null && document.activeElement !== document.body) back = document.activeElement;
    shown = call;
    place.hidden = call === null;
    document.body.classList.toggle("asks", call !== null);
    if (call === null) {
      place.replaceChildren();
      if (had) (back?.isConnected && back.offsetParent !== null ? back : document.getElementById("message")).focus();
      return;
    }
    openedAt = typedAt = performance.now();
    place.replaceChildren(...content(call, answer, stop));
    place.focus({ preventScroll: true });
    sayNow(`Allow ${call.tool}? ${plain(call)}. 1 allows it once${call.may_remember ? ", 2 always" : ""}, 3 refuses.`);
  };
  on("turns", update);
  on("turn", update);
}

function content(call, answer, stop) {
  const tool = state.tools.get(call.tool), waiting = state.turns.flatMap((turn) => turn.calls).filter((each) => each.status === "asking").length;
  const button = (how, key, label, kind) => h("button", { type: "button", class: kind, "data-answer": how, onclick: () => answer(how) }, label, h("kbd", { "aria-hidden": "true" }, key));
  const where = call.scope ? ` in ${visible(call.scope)}` : "";
  return [
    h("div", { class: "consent-head" }, icon("shield"),
      h("h2", { id: "consent-title" }, "Allow ", h("code", {}, call.tool), "?"),
      h("span", { class: "muted" }, [EFFECTS[call.effect], tool?.source && tool.source !== "built in" ? tool.source : null].filter(Boolean).join(" · ")),
      waiting > 1 ? h("span", { class: "tag" }, `${waiting} questions`) : null,
      h("button", { type: "button", class: "stop-all", "aria-label": "Refuse and stop this answer", title: "Refuse this and end the answer", onclick: stop }, icon("stop"), "Stop")),
    tool ? h("p", { class: "muted about" }, `${tool.description[0].toUpperCase()}${tool.description.slice(1)}.`) : null,
    h("dl", { class: "arguments" }, given(call)),
    h("p", { id: "consent-why", class: call.reason === "untrusted" ? "why warns" : "why muted" }, WHY[call.reason] ?? ""),
    h("div", { class: "row" }, button("refuse", "3", "Refuse", "quiet"),
      call.may_remember ? button("always", "2", `Always${where}`, "quiet") : null, button("once", "1", "Allow once", "primary")),
  ];
}

function given(call) {
  const all = Object.entries(call.arguments);
  if (!all.length) return h("div", {}, h("dt", { class: "muted" }, "no arguments"), h("dd", {}));
  return all.map(([name, value]) => h("div", {}, h("dt", {}, visible(name)), h("dd", { tabindex: shape(value).length > 200 ? "0" : null }, h("bdi", {}, shape(value)))));
}

const shape = (value) => visible(typeof value === "string" ? value : JSON.stringify(value, null, Array.isArray(value) ? 0 : 1));
const plain = (call) => Object.entries(call.arguments).map(([name, value]) => `${name}: ${shape(value)}`).join(", ");
