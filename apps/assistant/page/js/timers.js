// Timers with a countdown, and what rings.

import { post } from "./api.js";
import { $, h, icon, setText, svg } from "./dom.js";
import { countdown, moment, until } from "./figures.js";
import { sayNow } from "./say.js";
import { ring } from "./sound.js";
import { on, state } from "./state.js";

const ROUND = 2 * Math.PI * 15;
const KINDS = { timer: "Timer", alarm: "Alarm", reminder: "Reminder" };

export function drawTimers(list, bar, failed) {
  const rows = new Map();
  let ticking = null;
  const act = (path, body) => post(path, body).catch(failed);

  const tick = () => {
    const now = Date.now() / 1000;
    for (const [id, row] of rows) row.tick(state.timers.get(id), now);
  };
  const update = () => {
    const all = [...state.timers.values()].sort((one, other) => one.due_at - other.due_at || one.id - other.id);
    const waiting = all.filter((timer) => timer.status === "set"), ringing = all.filter((timer) => timer.status === "ringing");
    for (const [id, row] of rows) if (!waiting.some((timer) => timer.id === id)) { row.element.remove(); rows.delete(id); }
    waiting.forEach((timer, index) => {
      if (!rows.has(timer.id)) rows.set(timer.id, timerRow(timer, act));
      const row = rows.get(timer.id).element;
      if (list.children[index] !== row) list.insertBefore(row, list.children[index] ?? null);
    });
    $("timers-section").hidden = waiting.length === 0;
    const had = bar.contains(document.activeElement);
    const key = ringing.map((timer) => timer.id).join();
    if (bar.dataset.shown !== key) {
      bar.dataset.shown = key;
      bar.replaceChildren(...ringing.map((timer) => ringingRow(timer, act)));
      if (had) (bar.querySelector("button") ?? $("message")).focus();
    }
    ring(ringing.length > 0);
    document.title = ringing.length ? `🔔 ${nameOf(ringing[0])}` : "edge assistant";
    tick();
    if (waiting.length && ticking === null) ticking = setInterval(tick, 250);
    if (!waiting.length && ticking !== null) { clearInterval(ticking); ticking = null; }
  };
  on("timers", update);
  on("ringing", (timer) => sayNow(`${nameOf(timer)} rings. Alt I ends it.`));
}

/** Ends all that ring. */
export function silence(failed) {
  for (const timer of state.timers.values()) if (timer.status === "ringing") post(`/api/timers/${timer.id}/dismiss`).catch(failed);
}

function nameOf(timer) {
  if (timer.kind === "reminder") return timer.label;
  return timer.label ? `${timer.label[0].toUpperCase()}${timer.label.slice(1)}` : timer.text;
}

function timerRow(timer, act) {
  const left = h("span", { class: "left-time" }), circle = svg("circle", { class: "passed", cx: 18, cy: 18, r: 15, "stroke-dasharray": ROUND });
  const element = h("li", { class: `timer ${timer.kind}` },
    svg("svg", { viewBox: "0 0 36 36", class: "clock", "aria-hidden": "true" }, svg("circle", { class: "whole", cx: 18, cy: 18, r: 15 }), circle),
    h("span", { class: "timer-name" }, h("span", { dir: "auto" }, nameOf(timer)), h("span", { class: "muted" }, `${KINDS[timer.kind]} · ${moment(timer.due_at)}${timer.repeats ? ` · ${timer.repeats}` : ""}`)),
    left,
    h("button", { type: "button", class: "icon small", "aria-label": `Cancel ${nameOf(timer)}`, title: "Cancel", onclick: () => act(`/api/timers/${timer.id}/cancel`) }, icon("cross")));
  const tick = (now_, now) => {
    if (!now_) return;
    const rest = now_.due_at - now, whole = now_.seconds ?? Math.max(1, now_.due_at - now_.created_at);
    setText(left, now_.kind === "timer" ? countdown(rest) : until(rest));
    circle.setAttribute("stroke-dashoffset", String(ROUND * Math.min(1, Math.max(0, 1 - rest / whole))));
  };
  return { element, tick };
}

function ringingRow(timer, act) {
  const button = (label, kind, path, body) => h("button", { type: "button", class: kind, onclick: () => act(`/api/timers/${timer.id}/${path}`, body) }, label);
  return h("div", { class: "ringing" }, h("span", { class: "bell" }, icon("bell")),
    h("p", {}, h("strong", { dir: "auto" }, nameOf(timer)), h("span", {}, timer.late ? `was due ${moment(timer.due_at)}, while the assistant did not run` : `${KINDS[timer.kind]} · ${moment(timer.due_at)}`)),
    h("div", { class: "row" }, button("5 minutes more", "quiet", "snooze", { minutes: 5 }), button("Done", "primary", "dismiss", {})));
}
