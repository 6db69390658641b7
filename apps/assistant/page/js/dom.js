// Elements and text. Everything that comes from outside of this folder becomes a text node, never markup.

const SVG = "http://www.w3.org/2000/svg";

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** h("button", {class: "icon", onclick: f}, "text", child): strings are text nodes. */
export function h(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

export const $ = (id) => document.getElementById(id);

/** Changes an element's text only when it is another, so that nothing is announced or laid out twice. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const ICONS = {
  plus: "M12 5v14M5 12h14", cross: "M6 6l12 12M18 6 6 18", menu: "M4 7h16M4 12h16M4 17h10",
  send: "M12 19V5M6 11l6-6 6 6", stop: "M8 8h8v8H8z", down: "M12 5v14M6 13l6 6 6-6",
  edit: "M4 20l1-4L16 5l3 3L8 19zM14 7l3 3", retry: "M20 12a8 8 0 1 1-2.5-5.8M20 4v4h-4",
  fork: "M7 5v14M7 13c0-4 10-1 10-6M4.8 5a2.2 2.2 0 1 0 4.4 0 2.2 2.2 0 1 0-4.4 0M14.8 5a2.2 2.2 0 1 0 4.4 0 2.2 2.2 0 1 0-4.4 0M4.8 19a2.2 2.2 0 1 0 4.4 0 2.2 2.2 0 1 0-4.4 0",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13", check: "M5 12.5l4.5 4.5L19 7.5", left: "M14 6l-6 6 6 6", right: "M10 6l6 6-6 6",
  panel: "M4 5h16v14H4zM15 5v14", keyboard: "M3 7h18v10H3zM7 10.5h.01M11 10.5h.01M15 10.5h.01M8 14h8M18.5 10.5h.01",
  dark: "M19 14.5A7.5 7.5 0 0 1 9.5 5a7.5 7.5 0 1 0 9.5 9.5z", light: "M12 8a4 4 0 1 0 0 8 4 4 0 1 0 0-8M12 3v1.5M12 19.5V21M3 12h1.5M19.5 12H21M5.6 5.6l1 1M17.4 17.4l1 1M5.6 18.4l1-1M17.4 6.6l1-1",
  auto: "M12 4a8 8 0 1 0 0 16 8 8 0 1 0 0-16M12 4v16M15 5v14M18 7v10", shield: "M12 3l7 3v5c0 5-3 8-7 10-4-2-7-5-7-10V6z",
  bell: "M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15zM10 20.5h4", ask: "M9.5 9.5a2.6 2.6 0 1 1 3.6 2.4c-.8.4-1.1.9-1.1 1.9M12 17h.01", wait: "M8 12h.01M12 12h.01M16 12h.01",
  skip: "M6 12h12", bang: "M12 7v6M12 17h.01",
};  // drawn on a 24 x 24 grid

export function icon(name) {
  return svg("svg", { viewBox: "0 0 24 24", class: "glyph", "aria-hidden": "true", focusable: "false" }, svg("path", { d: ICONS[name] }));
}

export function setIcon(element, name) {
  element.querySelector(":scope > .glyph")?.remove();
  element.prepend(icon(name));
}

/** Characters that hide or turn text round, written out: what a person consents to is what they see. */
export function visible(text) {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb]|[\u{e0000}-\u{e0fff}]/gu,
    (char) => `‹U+${char.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}›`);
}

/** Runs a function once before the next frame, however often it is asked for. */
export function soon(run) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    const now = () => { if (asked) { asked = false; run(); } };
    if (document.hidden) setTimeout(now, 50); else requestAnimationFrame(now);
  };
}
