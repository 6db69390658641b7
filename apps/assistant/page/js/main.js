// Begins the page: draws the parts, loads what there is, listens to events.

import { ApiError, isTokenGiven, keep, kept, listen, onWrongToken, post, takeToken } from "./api.js";
import { drawComposer } from "./composer.js";
import { drawConsent } from "./consent.js";
import { $, h, icon, setIcon, setText } from "./dom.js";
import { drawDrawers } from "./drawers.js";
import { drawEmpty } from "./empty.js";
import { drawHome } from "./home.js";
import { drawMachine } from "./machine.js";
import { drawRename } from "./rename.js";
import { drawRecords } from "./records.js";
import { say } from "./say.js";
import { fillHelp, listenToKeys } from "./shortcuts.js";
import { drawSidebar, inOrder } from "./sidebar.js";
import { apply, begin, emit, load, on, openTurn, show, state } from "./state.js";
import { drawScroller } from "./scroller.js";
import { drawTheme } from "./theme.js";
import { drawTimers, silence } from "./timers.js";
import { drawTurns } from "./turns.js";
import { unlockSound } from "./sound.js";

const field = $("message"), title = $("title");
for (const element of document.querySelectorAll("[data-icon]")) setIcon(element, element.dataset.icon);

function failed(error) {
  if (!(error instanceof ApiError)) throw error;
  if (error.status !== 401) { state.notices = [...state.notices.filter((text) => text !== error.message), error.message]; emit("notices"); }
}

async function open(id, turn) {
  try {
    await show(id);
  } catch (error) {
    if (error.status !== 404) { failed(error); return; }
    await show(null);
  }
  keep("shown", state.shown ?? "");
  drawers.close();
  if (turn === undefined) { field.focus(); return; }
  const found = $(`turn-${turn}`);
  found?.scrollIntoView({ block: "center" });
  found?.focus({ preventScroll: true });
  found?.classList.add("found");
  setTimeout(() => found?.classList.remove("found"), 1600);
}

async function send(text) {
  if (state.shown === null) {
    const created = await post("/api/conversations");
    state.conversations.set(created.id, created);
    await show(created.id);
    keep("shown", created.id);
  }
  begin(await post(`/api/conversations/${state.shown}/turns`, { text }));
  say("Asked.");
}

async function fork(turn) {
  if (state.shown === null || !state.turns.length) return;
  try {
    const from = state.conversations.get(state.shown)?.title;
    const created = await post("/api/conversations", { fork_of: state.shown, ...(turn ? { at_turn: turn.id } : {}) });
    state.conversations.set(created.id, created);
    await open(created.id);
    say(`Forked from ${from}.`);
  } catch (error) {
    failed(error);
  }
}

function step(by) {
  const order = inOrder().map(([each]) => each.id), place = order.indexOf(state.shown) + by;
  if (order[place] !== undefined) open(order[place]);
}

function last(name) {
  const turn = state.turns.at(-1);
  if (turn && !openTurn()) turns.view(turn.id)?.[name]();
}

const scroller = drawScroller($("scroller"), $("to-end"));
const drawers = drawDrawers($("shade"));
const turns = drawTurns($("turns"), scroller, { fork, begun: (turn) => { begin(turn); field.focus(); }, failed });
const composer = drawComposer($("composer"), field, $("send"), $("stop"), { send, editLast: () => last("edit"), failed });
drawEmpty($("empty"), (text) => send(text).catch(failed));
drawConsent($("consent"), () => composer.halt(), failed);
drawSidebar($("conversations"), $("search"), { open, failed });
drawTimers($("timers"), $("ringing"), failed);
drawHome($("home"));
drawMachine($("machine"));
drawRecords($("records"), failed);
drawTheme($("theme"));
fillHelp($("help"));

$("new").addEventListener("click", () => open(null));
$("fork").addEventListener("click", () => fork());
$("rename").addEventListener("click", () => drawRename(title, $("rename"), failed));
$("keys").addEventListener("click", () => $("help").showModal());
for (const kind of ["keydown", "pointerdown"]) document.addEventListener(kind, unlockSound, { passive: true });
listenToKeys({
  create: () => open(null), fork: () => fork(), retry: () => last("retry"), previous: () => step(-1), next: () => step(1),
  search: () => { drawers.open("left"); $("search").focus(); $("search").select(); }, silence: () => silence(failed),
  left: () => drawers.toggle("left"), right: () => drawers.toggle("right"), message: () => field.focus(), help: () => $("help").showModal(),
  escape: () => { if (!drawers.close()) composer.halt(); },
});

const head = () => {
  const conversation = state.conversations.get(state.shown);
  setText(title, conversation?.title || "New conversation");
  for (const name of ["fork", "rename"]) $(name).hidden = !state.turns.length;
  $("empty").hidden = field.disabled || state.turns.length > 0;
  const shared = conversation?.shared_tokens ?? 0;
  setText($("shared"), shared ? `${shared} of ${conversation.tokens} tokens shared` : "");
  $("shared").title = "Tokens whose K and V this conversation has in common with another one, kept once";
};
on("turns", head);
on("conversations", head);
on("removed", () => open(null));
on("model", () => {
  setText($("model"), state.model.name);
  $("model").title = `${state.model.path} · ${state.model.backend} · context ${state.model.context} · ${state.model.tools} tools`;
});
on("notices", () => $("notices").replaceChildren(...state.notices.map((text) => h("div", { class: "notice", role: "status" }, h("p", {}, text),
  h("button", { type: "button", class: "icon small", "aria-label": "Close", onclick: () => { state.notices = state.notices.filter((each) => each !== text); emit("notices"); } }, icon("cross"))))));
on("connected", () => {
  document.body.classList.toggle("away", !state.connected);
  setText($("hint"), state.connected ? "Enter sends · everything stays on this machine" : "The assistant does not answer. Trying again…");
});

function locked() {
  const dialog = $("locked");
  dialog.replaceChildren(h("h2", { id: "locked-title" }, "This page needs the address from the terminal"),
    h("p", {}, "Each start of the assistant has its own key. Open the address that ", h("code", {}, "edge assistant"), " printed last; what stands behind # is the key."));
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  if (!dialog.open) dialog.showModal();
}

async function start() {
  const after = await load();
  const shown = Number(kept("shown"));
  field.disabled = false;
  await open(state.conversations.has(shown) ? shown : null);
  listen(after, (name, data) => (name === "reset" ? reload() : apply(name, data)), (up) => {
    if (up !== state.connected) { state.connected = up; emit("connected"); }
  });
}

async function reload() {
  await load();
  await show(state.conversations.has(state.shown) ? state.shown : null);
}

onWrongToken(locked);
addEventListener("hashchange", () => { if (isTokenGiven()) { takeToken(); location.reload(); } });
if (takeToken()) start().catch(failed); else locked();
