// Conversations, forks below what they came from; and the history's search.

import { call, get } from "./api.js";
import { $, h, icon, soon } from "./dom.js";
import { ago } from "./figures.js";
import { on, state } from "./state.js";

const PAUSE = 180;  // ms behind the last key before a search

/** actions: open(conversation, turn), failed(error) */
export function drawSidebar(place, field, actions) {
  let hits = null, timer = null;

  const draw = soon(() => {
    const focused = place.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    place.replaceChildren(...(hits === null ? conversations(actions) : found(hits, actions)));
    if (focused) place.querySelector(`[data-key="${focused}"]`)?.focus();
  });
  on("conversations", () => { if (hits === null) draw(); });

  const search = async () => {
    const words = field.value.trim();
    if (!words) { hits = null; draw(); return; }
    try {
      const answer = await get(`/api/search?q=${encodeURIComponent(words)}&limit=50`);
      if (field.value.trim() === words) { hits = answer.hits; draw(); }
    } catch (error) {
      actions.failed(error);
    }
  };
  field.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(search, PAUSE); });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && field.value) { event.stopPropagation(); field.value = ""; search(); }
    if (event.key === "ArrowDown") { event.preventDefault(); place.querySelector("button")?.focus(); }
  });
  place.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = [...place.querySelectorAll("button.entry")], next = all.indexOf(document.activeElement) + step;
    (next < 0 ? field : all[Math.min(next, all.length - 1)]).focus();
  });
}

/** As they are shown: forks behind and below what they came from. */
export function inOrder() {
  const all = [...state.conversations.values()], roots = all.filter((each) => !state.conversations.has(each.forked_from));
  const lastUse = (each) => Math.max(each.updated_at, ...all.filter((other) => other.forked_from === each.id).map(lastUse));
  const order = [];
  const add = (each, level) => {
    order.push([each, level]);
    all.filter((other) => other.forked_from === each.id).sort((one, other) => one.id - other.id).forEach((fork) => add(fork, level + 1));
  };
  roots.sort((one, other) => lastUse(other) - lastUse(one) || other.id - one.id).forEach((root) => add(root, 0));
  return order;
}

function conversations(actions) {
  const order = inOrder();
  if (!order.length) return [h("p", { class: "muted none" }, "Conversations are kept here, on this machine.")];
  return [h("ul", { class: "plain" }, order.map(([each, level]) => {
    const row = h("li", { class: "conversation" },
      h("button", { type: "button", class: "entry", "data-key": each.id, "aria-current": each.id === state.shown ? "true" : null, onclick: () => actions.open(each.id) },
        level ? icon("fork") : null, h("span", { class: "entry-title", dir: "auto" }, each.title || "New conversation"), mark(each)),
      h("button", { type: "button", class: "icon small remove", "data-key": `remove-${each.id}`, "aria-label": `Delete “${each.title || "New conversation"}”`, title: "Delete", onclick: (event) => remove(each, event.currentTarget, actions) }, icon("trash")));
    row.style.setProperty("--level", Math.min(level, 4));
    return row;
  }))];
}

function mark(each) {
  if (state.asking.has(each.id)) return h("span", { class: "tag asks" }, "asks");
  if (each.running !== null) return h("span", { class: "pulse", role: "img", "aria-label": "running" });
  return h("span", { class: "muted when" }, ago(each.updated_at));
}

function remove(each, button, actions) {
  if (button.dataset.sure !== "yes") {
    button.dataset.sure = "yes";
    button.classList.add("sure");
    button.replaceChildren("Delete?");
    button.addEventListener("blur", () => { button.dataset.sure = ""; button.classList.remove("sure"); button.replaceChildren(icon("trash")); }, { once: true });
    button.focus();
    return;
  }
  $("search").focus();
  call("DELETE", `/api/conversations/${each.id}`).catch(actions.failed);
}

function found(hits, actions) {
  if (!hits.length) return [h("p", { class: "muted none", role: "status" }, "Nothing holds these words.")];
  return [h("p", { class: "hidden", role: "status" }, `${hits.length} found`), h("ul", { class: "plain" }, hits.map((hit, index) => h("li", { class: "conversation" },
    h("button", { type: "button", class: "entry hit", "data-key": `hit-${index}`, onclick: () => actions.open(hit.conversation, hit.turn) },
      h("span", { class: "entry-title" }, hit.title || "Conversation"), h("span", { class: "muted when" }, ago(hit.created_at)),
      h("span", { class: "snippet", dir: "auto" }, hit.before, h("mark", {}, hit.match), hit.after)))))];
}
