// What the page knows, changed by the backend's events; views are told which part is another.

import { get } from "./api.js";

export const state = {
  model: null, conversations: new Map(), timers: new Map(), tools: new Map(), grants: [], notices: [], home: null, status: null,
  shown: null,  // the conversation's id; null: a new one that is made with its first request
  turns: [],  // the path that is shown
  asking: new Set(),  // conversations with a question
  connected: true,
};

const listeners = new Map();
const where = new Map();  // turn id -> conversation, of turns that run

/** on("home", f): parts are conversations, turns, turn, timers, ringing, home, status, notices, grants, connected. */
export function on(part, listener) {
  if (!listeners.has(part)) listeners.set(part, []);
  listeners.get(part).push(listener);
}

export function emit(part, data) {
  for (const listener of listeners.get(part) ?? []) listener(data);
}

/** Everything again, from /api/state. Returns the number of the last event in it. */
export async function load() {
  const all = await get("/api/state");
  state.model = all.model;
  state.home = all.home;
  state.status = all.status;
  state.notices = all.notices;
  state.conversations = new Map(all.conversations.map((each) => [each.id, each]));
  state.timers = new Map(all.timers.map((each) => [each.id, each]));
  for (const part of ["model", "home", "status", "notices", "conversations", "timers"]) emit(part);
  const [tools, grants] = await Promise.all([get("/api/tools"), get("/api/grants")]);
  state.tools = new Map(tools.tools.map((tool) => [tool.name, tool]));
  state.grants = grants.grants;
  emit("grants");
  return all.last_event;
}

/** Shows a conversation; null: an empty new one. */
export async function show(id) {
  const turns = id === null ? [] : (await get(`/api/conversations/${id}`)).turns;
  state.shown = id;
  state.turns = turns;
  for (const turn of turns) if (isOpen(turn)) where.set(turn.id, turn.conversation);
  emit("turns");
  emit("conversations");
}

export const isOpen = (turn) => turn.status === "running" || turn.status === "asking";
export const openTurn = () => state.turns.find(isOpen) ?? null;
export const question = () => state.turns.flatMap((turn) => turn.calls).find((each) => each.status === "asking") ?? null;

/** A turn that was begun: in its place, what followed its parent goes. */
export function begin(turn) {
  if (find(turn.id)) return;
  const conversation = state.conversations.get(turn.conversation);
  where.set(turn.id, turn.conversation);
  if (conversation) {
    if (isOpen(turn)) conversation.running = turn.id;
    conversation.title ||= turn.request.slice(0, 60);
    emit("conversations");
  }
  if (turn.conversation !== state.shown) return;
  const parent = state.turns.findIndex((each) => each.id === turn.parent);
  const before = state.turns[parent + 1]?.versions ?? [];
  if (turn.versions.length <= before.length) turn.versions = [...before.filter((id) => id !== turn.id), turn.id];
  state.turns = [...state.turns.slice(0, parent + 1), turn];
  emit("turns");
}

const find = (id) => state.turns.find((turn) => turn.id === id);

function put(turn, call) {
  const place = turn.calls.findIndex((each) => each.id === call.id);
  if (place < 0) turn.calls.push(call); else turn.calls[place] = call;
}

/** Text behind what is there. at: characters before it, so that an event that is told twice changes nothing. */
function append(turn, part, text, at) {
  const points = at === undefined ? null : [...turn[part]];
  if (points === null || at === points.length) turn[part] += text;
  else if (at < points.length) {
    const told = points.slice(0, at).join("") + text;
    if (!turn[part].startsWith(told)) turn[part] = told;
  }
}

const EVENTS = {
  "conversation.updated": (data) => { state.conversations.set(data.id, data); emit("conversations"); },
  "conversation.removed": ({ id }) => {
    state.conversations.delete(id);
    emit("conversations");
    if (id === state.shown) emit("removed", id);
  },
  "turn.started": begin,
  "turn.prefill": (data) => change(data.turn, (turn) => { turn.prefill = data; }),
  "turn.token": (data) => change(data.turn, (turn) => append(turn, "answer", data.text, data.at)),
  "turn.thinking": (data) => change(data.turn, (turn) => append(turn, "thinking", data.text, data.at)),
  "turn.plan": (data) => change(data.turn, (turn) => data.calls.forEach((each) => put(turn, each))),
  "turn.note": (data) => change(data.turn, (turn) => { if (!turn.notes.includes(data.text)) turn.notes.push(data.text); }),
  "call.updated": (data) => {
    const conversation = where.get(data.turn);
    if (conversation !== undefined && data.status === "asking") state.asking.add(conversation);
    else if (conversation !== undefined) state.asking.delete(conversation);
    change(data.turn, (turn) => put(turn, data));
    emit("conversations");
  },
  "turn.ended": (data) => {
    where.delete(data.id);
    state.asking.delete(data.conversation);
    const conversation = state.conversations.get(data.conversation);
    if (conversation?.running === data.id) conversation.running = null;
    const versions = find(data.id)?.versions ?? [];
    change(data.id, (turn) => Object.assign(turn, data, { versions: data.versions.length ? data.versions : versions }));
    emit("conversations");
    emit("ended", data);
  },
  "timer.updated": (data) => setTimer(data),
  "timer.ringing": (data) => { setTimer(data); emit("ringing", data); },
  "home.updated": (data) => { state.home = data; emit("home"); },
  "grants.updated": (data) => { state.grants = data.grants; emit("grants"); },
  "notice": (data) => { state.notices.push(data.text); emit("notices"); },
  "status": (data) => { state.status = data; emit("status"); },
};

function change(id, how) {
  const turn = find(id);
  if (!turn) return;
  how(turn);
  emit("turn", turn);
}

function setTimer(timer) {
  if (timer.status === "set" || timer.status === "ringing") state.timers.set(timer.id, timer);
  else state.timers.delete(timer.id);
  emit("timers");
}

/** One event of the stream. */
export function apply(name, data) {
  EVENTS[name]?.(data);
}
