// The plan of a turn: its calls as a graph. Calls side by side hang on one stem; what needs a result hangs below it.

import { h, icon, setText, svg, visible } from "./dom.js";
import { seconds } from "./figures.js";

const WORDS = {
  planned: "waits", asking: "asks you", running: "runs", done: "done", failed: "failed", refused: "refused", skipped: "left out",
};
const SIGNS = { planned: "wait", asking: "ask", running: "wait", done: "check", failed: "bang", refused: "cross", skipped: "skip" };
const STEP = 22, MIDDLE = 19;  // px: a level to the right; the dot's height in its row

export class Plan {
  constructor() {
    this.element = h("div", { class: "plans" });
    this._rounds = new Map();
    this._watch = new ResizeObserver(() => this._draw());
  }

  update(turn) {
    for (const call of turn.calls) {
      if (!this._rounds.has(call.round)) this._add(call.round);
      const round = this._rounds.get(call.round);
      if (!round.rows.has(call.id)) {
        const row = new Row();
        round.rows.set(call.id, row);
        round.list.append(row.element);
      }
      round.rows.get(call.id).update(call, turn);
    }
    for (const [number, round] of this._rounds) {
      const calls = turn.calls.filter((call) => call.round === number);
      round.calls = calls;
      setText(round.title, number > 1 ? `Plan ${number}` : "Plan");
      round.box.classList.toggle("single", calls.length === 1);
      round.title.hidden = calls.length === 1 && number === 1;
      round.note.textContent = calls.length > 1 ? described(calls) : "";
      const levels = levelsOf(calls);
      round.levels = levels;
      for (const call of calls) round.rows.get(call.id).element.style.setProperty("--level", levels.get(call.number));
      round.list.style.setProperty("--levels", Math.max(0, ...levels.values()));
    }
    this._draw();
  }

  _add(number) {
    const list = h("ol", { class: "calls" }), title = h("span", { class: "plan-title" }), note = h("span", { class: "muted" });
    const lines = svg("svg", { class: "edges", "aria-hidden": "true" });
    const box = h("div", { class: "plan", role: "group", "aria-label": `Plan ${number}` }, h("p", { class: "plan-head" }, title, " ", note), h("div", { class: "graph" }, lines, list));
    this._rounds.set(number, { list, title, note, lines, box, rows: new Map(), calls: [], levels: new Map() });
    this.element.append(box);
    this._watch.observe(list);
  }

  _draw() {
    for (const round of this._rounds.values()) {
      round.lines.replaceChildren();
      if (round.calls.length < 2) continue;
      const dots = new Map(round.calls.map((call) => {
        const row = round.rows.get(call.id).element;
        return [call.number, { x: (round.levels.get(call.number) + 1) * STEP, y: row.offsetTop + MIDDLE, call }];
      }));
      for (const { x, y, call } of dots.values()) {
        const from = call.needs.length ? call.needs.map((number) => dots.get(number)).filter(Boolean) : [{ x: 0, y: 2 }];
        for (const start of from) {
          const turn = Math.max(start.x, 0) + 4, round_ = Math.min(7, Math.max(0, x - turn - 2));
          const path = `M${turn} ${start.y + (call.needs.length ? 11 : 0)}V${y - round_}Q${turn} ${y} ${turn + round_} ${y}H${x - 9 + 4}`;
          round.lines.append(svg("path", { d: path, class: `edge ${call.status}` }));
        }
      }
    }
  }
}

class Row {
  constructor() {
    this.sign = h("span", { class: "dot" });
    this.name = h("span", { class: "tool" });
    this.given = h("span", { class: "given" });
    this.status = h("span", { class: "status" });
    this.needs = h("p", { class: "needs muted" });
    this.text = h("div", { class: "result" });
    this.element = h("li", { class: "call" }, this.sign,
      h("div", { class: "call-body" }, h("p", { class: "call-head" }, this.name, this.given, this.status), this.needs, this.text));
    this._last = "";
  }

  update(call, turn) {
    const shown = JSON.stringify([call, turn.answer.includes(call.text)]);
    if (shown === this._last) return;
    this._last = shown;
    this.element.className = `call ${call.status}`;
    this.sign.replaceChildren(icon(SIGNS[call.status]));
    setText(this.name, call.tool);
    this.given.replaceChildren(...Object.entries(call.arguments).map(([name, value]) => h("span", { class: "argument" },
      h("span", { class: "muted" }, `${visible(name)} `), h("bdi", {}, visible(typeof value === "string" ? value : JSON.stringify(value))))));
    setText(this.status, WORDS[call.status] + (call.status === "done" && call.seconds !== null ? ` in ${seconds(call.seconds)}` : ""));
    setText(this.needs, call.needs.length ? `after ${call.needs.join(" and ")}` : "");
    this.text.replaceChildren(...this._result(call, turn));
  }

  _result(call, turn) {
    const parts = [];
    if (call.error && call.status !== "refused") parts.push(h("p", { class: "error" }, call.error));
    if (call.status === "done" && call.untrusted) {
      parts.push(h("figure", { class: "quoted" },
        h("figcaption", {}, icon("shield"), "Text that was kept or comes from elsewhere: shown, never obeyed"),
        turn.answer.includes(call.text) ? null : h("blockquote", { tabindex: "0", "aria-label": `Result of ${call.tool}` }, visible(call.text))));
    } else if (call.status === "done" && !turn.answer.includes(call.text)) parts.push(h("p", {}, call.text));
    return parts;
  }
}

function levelsOf(calls) {
  const levels = new Map();
  for (const call of calls) {
    levels.set(call.number, Math.max(0, ...call.needs.filter((number) => levels.has(number)).map((number) => levels.get(number) + 1)));
  }
  return levels;
}

function described(calls) {
  const free = calls.filter((call) => !call.needs.length).length;
  if (free === calls.length) return `${calls.length} calls, side by side`;
  return free > 1 ? `${calls.length} calls, ${free} of them side by side` : `${calls.length} calls, one after another`;
}
