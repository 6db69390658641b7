// Speed, memory against budget, KV blocks, energy and temperature: what the machine tells, and no guess.

import { h, setText } from "./dom.js";
import { bytes, plural, rate, seconds } from "./figures.js";
import { on, state } from "./state.js";

const MOST_CELLS = 256;  // of the picture of KV blocks; where there are more, a cell stands for several

export function drawMachine(place) {
  const value = () => h("dd", {});
  const speed = { first: value(), act: value(), prefill: value(), decode: value() };
  const meter = h("div", { class: "meter", role: "meter", "aria-label": "Memory" }, h("span", { class: "fill" }), h("span", { class: "mark" }));
  const memory = h("span", {}), kvText = h("span", {}), energy = value(), heat = value();
  const kv = h("div", { class: "kv", role: "img" }), saving = h("p", { class: "saving muted" });
  place.replaceChildren(
    h("dl", { class: "numbers" },
      h("div", {}, h("dt", {}, "First token"), speed.first), h("div", {}, h("dt", {}, "To action"), speed.act),
      h("div", {}, h("dt", {}, "Reads"), speed.prefill), h("div", {}, h("dt", {}, "Writes"), speed.decode)),
    h("p", { class: "label" }, h("span", {}, "Memory"), memory), meter,
    h("p", { class: "label" }, h("span", {}, "KV blocks"), kvText), kv,
    h("p", { class: "legend muted", "aria-hidden": "true" }, h("i", { class: "shared" }), "shared", h("i", { class: "used" }), "in use now", h("i", { class: "kept" }), "kept for later"),
    saving,
    h("dl", { class: "lines" }, h("div", {}, h("dt", {}, "Energy"), energy), h("div", {}, h("dt", {}, "Temperature"), heat)));

  on("status", () => {
    const { memory: used, kv: blocks, speed: quick, energy: power, temperature } = state.status;
    setText(speed.first, seconds(quick.first_token_seconds));
    setText(speed.act, seconds(quick.action_seconds));
    setText(speed.prefill, quick.prefill_tok_s === null ? "–" : `${rate(quick.prefill_tok_s)} tok/s`);
    setText(speed.decode, quick.decode_tok_s === null ? "–" : `${rate(quick.decode_tok_s)} tok/s`);

    const limit = used.budget ?? 1.25 * Math.max(used.planned, used.peak);
    const text = used.budget === null ? `${bytes(used.resident)} · model planned at ${bytes(used.planned)}` : `${bytes(used.resident)} of ${bytes(used.budget)}`;
    setText(memory, text);
    meter.firstChild.style.setProperty("inline-size", `${Math.min(100, (100 * used.resident) / limit)}%`);
    meter.lastChild.style.setProperty("inset-inline-start", `${Math.min(99.5, (100 * (used.budget === null ? used.planned : used.peak)) / limit)}%`);
    meter.title = `peak ${bytes(used.peak)}, planned ${bytes(used.planned)}`;
    meter.setAttribute("aria-valuemin", "0");
    meter.setAttribute("aria-valuemax", String(limit));
    meter.setAttribute("aria-valuenow", String(Math.min(limit, used.resident)));
    meter.setAttribute("aria-valuetext", `${text}, peak ${bytes(used.peak)}`);

    // What several answers own now, or several conversations begin with; then what answers use; then what is only kept.
    const filled = blocks.used + blocks.kept, shared = Math.min(filled, Math.max(blocks.shared, blocks.common));
    const own = Math.min(filled, Math.max(blocks.used, shared));
    const said = `${filled} of ${blocks.total} filled, ${shared} of them shared, ${blocks.used} in use now`;
    setText(kvText, `${filled} of ${blocks.total}`);
    setText(saving, blocks.saved ? `${plural(shared, "block")} shared between conversations: ${blocks.saved} fewer to compute and keep.` : "");
    kv.setAttribute("aria-label", `KV blocks of ${blocks.block_tokens} tokens: ${said}`);
    kv.title = `${said}; a block holds the keys and values of ${blocks.block_tokens} tokens`;
    const size = Math.min(MOST_CELLS, blocks.total);
    if (kv.childElementCount !== size) kv.replaceChildren(...Array.from({ length: size }, () => h("i")));
    const share = (count) => (count ? Math.max(1, Math.round((size * count) / Math.max(1, blocks.total))) : 0);
    const kinds = [["shared", share(shared)], ["used", share(own)], ["kept", share(filled)]];
    [...kv.children].forEach((cell, index) => { cell.className = kinds.find(([, end]) => index < end)?.[0] ?? ""; });

    const parts = [power.watts === null ? null : `${power.watts.toFixed(1)} W`, power.joules === null ? null : `${power.joules.toFixed(1)} J for the last answer`];
    setText(energy, parts.filter(Boolean).join(" · ") || "not told here");
    setText(heat, temperature === null ? "not told here" : `${temperature.celsius.toFixed(0)} °C`);
    heat.title = temperature?.name ?? "This machine does not tell its temperature";
  });
}
