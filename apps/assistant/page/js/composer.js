// The message field: it grows with its text, Enter sends, and while something runs it offers to stop.

import { post } from "./api.js";
import { openTurn, on, state } from "./state.js";

/** actions: send(text), editLast(), failed(error) */
export function drawComposer(form, field, send, stop, actions) {
  const grow = () => {
    field.style.setProperty("height", "auto");
    field.style.setProperty("height", `${Math.min(field.scrollHeight, 200)}px`);
    send.disabled = !field.value.trim();
  };
  const submit = async () => {
    const text = field.value.trim();
    if (!text || openTurn()) return;
    field.value = "";
    grow();
    try {
      await actions.send(text);
    } catch (error) {
      field.value ||= text;  // nothing that was typed is lost
      grow();
      actions.failed(error);
    }
  };
  form.addEventListener("submit", (event) => { event.preventDefault(); submit(); });
  field.addEventListener("input", grow);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); submit(); }
    if (event.key === "ArrowUp" && !field.value && state.turns.length && !openTurn()) { event.preventDefault(); actions.editLast(); }
  });
  const halt = () => { const turn = openTurn(); if (turn) post(`/api/turns/${turn.id}/stop`).catch(actions.failed); };
  stop.addEventListener("click", halt);

  const update = () => {
    const runs = openTurn() !== null, hadStop = document.activeElement === stop;
    stop.hidden = !runs;
    send.hidden = runs;
    if (hadStop && !runs) field.focus();
  };
  for (const part of ["turns", "turn", "ended"]) on(part, update);
  grow();
  return { submit, halt };
}
