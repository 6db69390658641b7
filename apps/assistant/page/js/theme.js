// Colours: as the system, dark, light.

import { setIcon } from "./dom.js";

const ORDER = ["auto", "dark", "light"], SAID = { auto: "as the system", dark: "dark", light: "light" };

export function drawTheme(button) {
  const chosen = () => document.documentElement.dataset.theme ?? "auto";
  const show = () => {
    setIcon(button, chosen());
    button.setAttribute("aria-label", `Colours: ${SAID[chosen()]}`);
    button.title = `Colours: ${SAID[chosen()]}`;
  };
  button.addEventListener("click", () => {
    const next = ORDER[(ORDER.indexOf(chosen()) + 1) % ORDER.length];
    if (next === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    try { localStorage.setItem("theme", next); } catch { /* storage is blocked: for this visit */ }
    show();
  });
  show();
}
