// Answers as elements: paragraphs, lists, code, bold. No links, no images, no markup: what is written is only ever text.

import { h } from "./dom.js";

/** The nodes of an answer; the text may be unfinished. */
export function rendered(text) {
  const nodes = [];
  let list = null, paragraph = null;
  const lines = text.split("\n");
  for (let place = 0; place < lines.length; place++) {
    const line = lines[place];
    const fence = /^\s*```/.test(line), item = /^\s*(?:[-*•]|\d+[.)])\s+(.*)$/.exec(line), head = /^#{1,6}\s+(.*)$/.exec(line);
    if (fence) {
      const code = [];
      while (++place < lines.length && !/^\s*```/.test(lines[place])) code.push(lines[place]);
      nodes.push(h("pre", { tabindex: "0" }, h("code", {}, code.join("\n"))));
    } else if (item) {
      const kind = /^\s*\d/.test(line) ? "ol" : "ul";
      if (list?.localName !== kind) nodes.push(list = h(kind, kind === "ol" ? { start: parseInt(line, 10) } : {}));
      list.append(h("li", {}, inline(item[1])));
      paragraph = null;
      continue;
    } else if (head) nodes.push(h("p", { class: "heading" }, inline(head[1])));
    else if (line.trim()) {
      if (paragraph) paragraph.append(h("br"), ...inline(line));
      else nodes.push(paragraph = h("p", {}, inline(line)));
      list = null;
      continue;
    }
    list = paragraph = null;
  }
  return nodes;
}

function inline(text) {
  return text.split(/(`[^`]+`|\*\*[^*\s](?:[^*]*[^*\s])?\*\*)/).filter(Boolean).map((part) => {
    if (part.length > 2 && part.startsWith("`") && part.endsWith("`")) return h("code", {}, part.slice(1, -1));
    if (part.length > 4 && part.startsWith("**") && part.endsWith("**")) return h("strong", {}, part.slice(2, -2));
    return part;
  });
}
