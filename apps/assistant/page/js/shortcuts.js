// Keys. All of them are listed by `?`; the letters go with Alt so that typing never triggers one.

import { h } from "./dom.js";

const LISTED = [
  ["Enter", "Send; Shift+Enter begins a line"], ["Esc", "Stop the answer; refuse a question; close"], ["↑", "Edit the last request, in the empty field"],
  ["1  2  3", "A question: allow once, always, refuse"], ["Alt+N", "New conversation"], ["Alt+K", "Fork this conversation"],
  ["Alt+R", "Try the last request again"], ["Alt+↑  Alt+↓", "Conversation above, below"], ["Ctrl+K", "Search the history"],
  ["Alt+I", "End what rings"], ["Alt+L  Alt+P", "The list, the panel (narrow windows)"], ["Alt+M", "To the message field"], ["?", "This list"],
];

/** actions: by the names below. */
export function listenToKeys(actions) {
  const alt = { KeyN: "create", KeyK: "fork", KeyR: "retry", KeyI: "silence", KeyL: "left", KeyP: "right", KeyM: "message", ArrowUp: "previous", ArrowDown: "next" };
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches?.("input, textarea");
    let name = null;
    if (event.altKey && !event.ctrlKey && !event.metaKey) name = alt[event.code];
    else if ((event.ctrlKey || event.metaKey) && event.code === "KeyK") name = "search";
    else if (event.key === "Escape") name = "escape";
    else if (event.key === "?" && !typing) name = "help";
    if (!name || event.repeat || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    actions[name]();
  });
}

export function fillHelp(dialog) {
  dialog.replaceChildren(h("h2", { id: "help-title" }, "Keyboard"),
    h("dl", { class: "keys" }, LISTED.map(([keys, what]) => h("div", {}, h("dt", {}, keys.split("  ").map((key) => h("kbd", {}, key))), h("dd", {}, what)))),
    h("p", { class: "row" }, h("button", { type: "button", class: "primary", onclick: () => dialog.close() }, "Close")));
}
