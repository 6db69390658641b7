// The title becomes a field; Enter keeps what it says, Esc leaves the old.

import { call } from "./api.js";
import { h } from "./dom.js";
import { state } from "./state.js";

export function drawRename(title, button, failed) {
  const id = state.shown, field = h("input", { maxlength: "200", "aria-label": "Title" });
  field.value = title.textContent;
  let over = false;
  const end = () => { if (!over) { over = true; form.replaceWith(title); button.hidden = false; button.focus(); } };
  const form = h("form", { onsubmit: (event) => {
    event.preventDefault();
    const text = field.value.trim();
    end();
    if (text) call("PATCH", `/api/conversations/${id}`, { title: text }).catch(failed);
  } }, field);
  field.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); end(); } });
  field.addEventListener("blur", end);
  title.replaceWith(form);
  button.hidden = true;
  field.select();
  field.focus();
}
