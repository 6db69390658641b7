// The conversation: each request with its plan, its answer and what it took.

import { post } from "./api.js";
import { h, icon, setText, soon } from "./dom.js";
import { plural, rate, seconds } from "./figures.js";
import { Plan } from "./plan.js";
import { say } from "./say.js";
import { isOpen, on, openTurn, show, state } from "./state.js";
import { rendered } from "./text.js";

/** actions: fork(turn), begun(turn), failed(error) */
export function drawTurns(place, scroller, actions) {
  const views = new Map();
  const changed = new Set();

  const all = () => {
    const shown = new Set(state.turns.map((turn) => turn.id));
    for (const [id, view] of views) if (!shown.has(id)) { view.element.remove(); views.delete(id); }
    state.turns.forEach((turn, index) => {
      if (!views.has(turn.id)) views.set(turn.id, new TurnView(actions));
      const view = views.get(turn.id);
      view.update(turn);
      if (place.children[index] !== view.element) place.insertBefore(view.element, place.children[index] ?? null);
    });
  };
  const some = soon(() => {
    const follow = scroller.atEnd();
    for (const turn of changed) views.get(turn.id)?.update(turn);
    changed.clear();
    if (follow) scroller.toEnd();
  });
  on("turns", () => { all(); scroller.toEnd(); });
  on("turn", (turn) => { changed.add(turn); some(); });
  return { view: (id) => views.get(id) };
}

class TurnView {
  constructor(actions) {
    this._actions = actions;
    this._answer = "";
    this._open = false;
    this.text = h("p", { class: "request-text", dir: "auto" });
    this.request = h("div", { class: "request" }, this.text);
    this.progress = h("p", { class: "progress muted" });
    this.plan = new Plan();
    this.thinking = h("details", { class: "thinking" }, h("summary", {}, "Thinking"), h("p", {}));
    this.answer = h("div", { class: "answer", dir: "auto" });
    this.notes = h("ul", { class: "plain turn-notes" });
    this.error = h("p", { class: "error" });
    this.figures = h("p", { class: "figures muted" });
    this.versions = h("span", { class: "versions" });
    const button = (name, label, run) => h("button", { type: "button", class: "icon small", "aria-label": label, title: label, onclick: run }, icon(name));
    this.buttons = h("span", { class: "actions" }, button("edit", "Edit this request", () => this.edit()),
      button("retry", "Try again", () => this.retry()), button("fork", "Fork from here", () => actions.fork(this.turn)));
    this.foot = h("div", { class: "turn-foot" }, this.buttons, this.versions, this.figures);
    this.element = h("article", { class: "turn", tabindex: "-1" },
      this.request, this.progress, this.thinking, this.plan.element, this.answer, this.notes, this.error, this.foot);
  }

  update(turn) {
    const ended = this._open && !isOpen(turn);
    this.turn = turn;
    this._open = isOpen(turn);
    setText(this.text, turn.request);
    this.element.id = `turn-${turn.id}`;
    this.element.setAttribute("aria-label", `You: ${turn.request.slice(0, 100)}`);
    this.element.classList.toggle("open", isOpen(turn));
    this.element.setAttribute("aria-busy", String(isOpen(turn)));
    this._progress(turn);
    this.thinking.hidden = !turn.thinking;
    setText(this.thinking.lastChild, turn.thinking);
    this.plan.update(turn);
    if (turn.answer !== this._answer) {
      this._answer = turn.answer;
      this.answer.replaceChildren(...rendered(turn.answer));
      this.answer.classList.toggle("elsewhere", turn.calls.some((call) => call.untrusted && call.text && turn.answer.includes(call.text)));
    }
    if (this.notes.childElementCount !== turn.notes.length) this.notes.replaceChildren(...turn.notes.map((note) => h("li", {}, note)));
    const error = turn.error ?? (turn.status === "stopped" ? "Stopped." : "");
    this.error.classList.toggle("calm", turn.status === "stopped");
    setText(this.error, error);
    this.foot.hidden = isOpen(turn);
    setText(this.figures, told(turn));
    this._versions(turn);
    if (ended) say(turn.answer || error);
  }

  _progress(turn) {
    const waits = isOpen(turn) && !turn.answer && !turn.calls.length, seen = turn.prefill;
    this.progress.hidden = !waits;
    if (!waits) return;
    const share = seen && seen.total ? Math.round((100 * seen.done) / seen.total) : 0;
    setText(this.progress, !seen ? "Thinking…" : seen.done < seen.total
      ? `Reading ${seen.total} tokens, ${seen.cached} of them kept: ${share} %` : "Writing…");
  }

  _versions(turn) {
    const { versions, id } = turn, place = versions.indexOf(id);
    const key = `${versions}/${id}`;
    if (key === this._shownVersions) return;
    this._shownVersions = key;
    if (versions.length < 2) { this.versions.replaceChildren(); return; }
    const step = (by, name, label) => h("button", { type: "button", class: "icon small", "aria-label": label,
      disabled: versions[place + by] === undefined, onclick: () => this._select(versions[place + by]) }, icon(name));
    this.versions.replaceChildren(step(-1, "left", "Earlier version"),
      h("span", {}, h("span", { class: "hidden" }, "Version "), `${place + 1}/${versions.length}`), step(1, "right", "Later version"));
  }

  async _select(version) {
    await this._do(async () => {
      await post(`/api/turns/${version}/select`, { conversation: state.shown });
      await show(state.shown);
      document.querySelector(`#turn-${version} .versions button:not([disabled])`)?.focus();
    });
  }

  retry() {
    return this._do(async () => this._actions.begun(await post(`/api/turns/${this.turn.id}/retry`, { conversation: state.shown })));
  }

  /** The request becomes a field; Enter sends the new version, Esc leaves the old. */
  edit() {
    if (openTurn() || this.request.querySelector("form")) return;
    const field = h("textarea", { rows: "2", maxlength: "8000", "aria-label": "The request, edited" });
    field.value = this.turn.request;
    const end = (focus) => { form.replaceWith(this.text); if (focus) this.buttons.firstChild.focus(); };
    const send = () => {
      const text = field.value.trim();
      if (!text) return;
      this._do(async () => { this._actions.begun(await post(`/api/turns/${this.turn.id}/edit`, { text, conversation: state.shown })); end(false); });
    };
    const form = h("form", { class: "edit", onsubmit: (event) => { event.preventDefault(); send(); } }, field,
      h("div", { class: "row" }, h("button", { type: "button", class: "quiet", onclick: () => end(true) }, "Leave as it was"),
        h("button", { type: "submit", class: "primary" }, "Ask this instead")));
    field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { event.stopPropagation(); end(true); }
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); send(); }
    });
    this.text.replaceWith(form);
    field.focus();
    field.select();
  }

  async _do(run) {
    try { await run(); } catch (error) { this._actions.failed(error); }
  }
}

/** One true line: what was kept, how quick, how much. */
function told(turn) {
  const figures = turn.figures;
  if (!figures) return "";
  const parts = [];
  if (figures.prompt_tokens !== null) {
    parts.push(figures.cached_tokens ? `${figures.cached_tokens} of ${figures.prompt_tokens} prompt tokens kept` : plural(figures.prompt_tokens, "prompt token"));
  }
  if (figures.first_token_seconds !== null) parts.push(`first token ${seconds(figures.first_token_seconds)}`);
  if (figures.action_seconds !== null) parts.push(`acted in ${seconds(figures.action_seconds)}`);
  if (figures.answer_tokens) parts.push(`${plural(figures.answer_tokens, "token")}${figures.decode_tok_s ? ` at ${rate(figures.decode_tok_s)}/s` : ""}`);
  if (figures.tools_shown !== null && figures.tools_shown < figures.tools && state.model?.retrieval !== "off") parts.push(`${figures.tools_shown} of ${figures.tools} tools shown`);
  if (figures.joules !== null) parts.push(`${figures.joules.toFixed(1)} J`);
  return parts.join(" · ");
}
