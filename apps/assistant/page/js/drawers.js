// The two sides, where a window is too narrow to show them: one at a time, over the conversation.

import { $ } from "./dom.js";

export function drawDrawers(shade) {
  let shown = null, back = null;
  const middle = document.querySelector(".middle");
  const isDrawer = (name) => getComputedStyle($(name)).position === "fixed";

  const close = () => {
    if (shown === null) return false;
    document.body.classList.remove(`show-${shown}`);
    shown = null;
    shade.hidden = true;
    middle.inert = false;
    if (back?.isConnected) back.focus();
    return true;
  };
  const open = (name) => {
    if (!isDrawer(name) || shown === name) return;
    close();
    back = document.activeElement;
    shown = name;
    document.body.classList.add(`show-${name}`);
    shade.hidden = false;
    middle.inert = true;
    $(name).querySelector("button, input")?.focus();
  };
  shade.addEventListener("click", close);
  for (const button of document.querySelectorAll("[data-open]")) button.addEventListener("click", () => open(button.dataset.open));
  for (const button of document.querySelectorAll("[data-close]")) button.addEventListener("click", close);
  addEventListener("resize", () => { if (shown !== null && !isDrawer(shown)) close(); });
  return { open, close, toggle: (name) => (shown === name ? close() : open(name)) };
}
