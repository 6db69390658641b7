// What is kept for the person: notes, lists, the calendar; and what may run without a question, which can be taken back.

import { call, get } from "./api.js";
import { h, icon } from "./dom.js";
import { on, state } from "./state.js";

export function drawRecords(place, failed) {
  const kept = [
    part("Notes", async () => (await get("/api/notes")).notes.map((note) => h("li", { dir: "auto" }, note.text)), "No notes yet."),
    part("Lists", async () => (await get("/api/lists")).lists.map((list) => h("li", {}, h("strong", {}, list.name),
      h("ul", {}, list.items.map((item) => h("li", { dir: "auto" }, item.text))))), "No lists yet."),
    part("Calendar", async () => (await get("/api/calendar")).events.map((event) => h("li", {}, h("span", { class: "muted" }, [event.day, event.time].filter(Boolean).join(" ")), " ", event.title)), "Nothing ahead."),
    part("Allowed without asking", async () => state.grants.map((grant) => h("li", { class: "grant" },
      h("span", {}, h("code", {}, grant.tool), grant.scope ? ` in ${grant.scope}` : ""),
      h("button", { type: "button", class: "icon small", "aria-label": `Ask again for ${grant.tool}`, title: "Ask again", onclick: () => call("DELETE", `/api/grants/${grant.id}`).catch(failed) }, icon("cross")))), "Nothing: every change is asked about."),
  ];
  place.replaceChildren(...kept.map((each) => each.element));
  const again = () => kept.forEach((each) => each.fill(failed));
  on("ended", again);
  on("grants", again);
}

function part(name, items, none) {
  const list = h("ul", { class: "records" });
  const element = h("details", {}, h("summary", {}, name), list);
  const fill = async (failed) => {
    if (!element.open) return;
    try {
      const found = await items();
      list.replaceChildren(...(found.length ? found : [h("li", { class: "muted" }, none)]));
    } catch (error) {
      failed(error);
    }
  };
  element.addEventListener("toggle", () => fill(() => {}));
  return { element, fill };
}
