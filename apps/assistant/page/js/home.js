// A small live picture of the simulated home: a house cut open, with lamps, radiators and what is plugged in.

import { h, svg } from "./dom.js";
import { on, state } from "./state.js";

const WIDTH = 320, ROOM = 64, ROOF = 34, SOCKET = 30, EDGE = 6;
const WARM = "#ffc24b";
const NAMED = { warmwhite: WARM, coolwhite: "#cfe4ff", coldwhite: "#cfe4ff", daylight: "#e9f1ff", white: "#fff3d6", warm: WARM, cool: "#cfe4ff" };

export function drawHome(place) {
  let parts = null, names = "";
  on("home", () => {
    const home = state.home, now = JSON.stringify([home.rooms.map((room) => room.name), home.sockets.map((each) => each.device)]);
    if (now !== names) {
      names = now;
      parts = built(home);
      place.replaceChildren(parts.picture, parts.media);
    }
    home.rooms.forEach((room, index) => light(parts.rooms[index], room));
    home.sockets.forEach((socket, index) => plug(parts.sockets[index], socket));
    parts.picture.setAttribute("aria-label", described(home));
    const { what, room, state: playing } = home.media;
    parts.media.hidden = playing === "stopped" || !what;
    parts.media.classList.toggle("playing", playing === "playing");
    parts.media.lastChild.textContent = `${what ?? ""}${room ? ` in the ${room}` : ""}${playing === "paused" ? " (paused)" : ""}`;
  });
}

function built(home) {
  const rows = Math.ceil(home.rooms.length / 2), ground = ROOF + rows * ROOM + EDGE;
  const sockets = Math.ceil(home.sockets.length / 2);
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${ground + 8 + sockets * SOCKET}`, role: "img", class: "house" },
    svg("path", { class: "roof", d: `M${EDGE} ${ROOF + 2}L${WIDTH / 2} 3 ${WIDTH - EDGE} ${ROOF + 2}z` }),
    svg("rect", { class: "wall", x: EDGE, y: ROOF, width: WIDTH - 2 * EDGE, height: rows * ROOM + EDGE, rx: 4 }));
  const half = (WIDTH - 5 * EDGE) / 2;
  const rooms = home.rooms.map((room, index) => {
    const alone = index === home.rooms.length - 1 && index % 2 === 0;
    return roomAt(picture, room, index, 2 * EDGE + (index % 2) * (half + EDGE), ROOF + EDGE + Math.floor(index / 2) * ROOM, alone ? 2 * half + EDGE : half);
  });
  picture.append(svg("path", { class: "ground", d: `M0 ${ground + 1}H${WIDTH}` }));
  const places = home.sockets.map((socket, index) => socketAt(picture, socket, EDGE + (index % 2) * (WIDTH / 2), ground + 10 + Math.floor(index / 2) * SOCKET));
  const media = h("p", { class: "media", hidden: true }, h("span", { class: "bars", "aria-hidden": "true" }, h("i"), h("i"), h("i")), h("span", {}));
  return { picture, rooms, sockets: places, media };
}

function roomAt(picture, room, index, x, y, width) {
  const height = ROOM - EDGE, lamp = x + width / 2, title = svg("title");
  const inner = svg("stop", { offset: "0" }), outer = svg("stop", { offset: "1", "stop-opacity": "0" });
  const glow = svg("rect", { class: "glow", x, y, width, height, rx: 3, fill: `url(#glow-${index})` });
  const bulb = svg("circle", { class: "bulb", cx: lamp, cy: y + 21, r: 4 });
  const bars = svg("path", { class: "radiator", d: `M${x + width - 46} ${y + height - 18}v10m4-10v10m4-10v10` });
  const warm = svg("text", { class: "degrees", x: x + width - 7, y: y + height - 9, "text-anchor": "end" });
  picture.append(svg("g", {}, title,
    svg("radialGradient", { id: `glow-${index}`, gradientUnits: "userSpaceOnUse", cx: lamp, cy: y + 22, r: Math.max(60, width * 0.55) }, inner, outer),
    svg("rect", { class: "room", x, y, width, height, rx: 3 }), glow,
    svg("path", { class: "lamp", d: `M${lamp} ${y}v10M${lamp - 9} ${y + 20}q2-10 9-10t9 10z` }), bulb,
    svg("text", { class: "room-name", x: x + 7, y: y + height - 9 }, short(room.name, width > 200 ? 30 : 12)), bars, warm));
  return { title, inner, outer, glow, bulb, bars, warm };
}

function light(parts, room) {
  const { on: lit, brightness, color } = room.light, shade = colorOf(color), { heating } = room;
  for (const stop of [parts.inner, parts.outer]) stop.style.setProperty("stop-color", `color-mix(in oklab, ${shade} 80%, white)`);
  parts.glow.style.setProperty("opacity", lit ? String(0.25 + 0.0065 * brightness) : "0");
  parts.bulb.style.setProperty("fill", lit ? shade : "");
  parts.bulb.classList.toggle("lit", lit);
  parts.bars.classList.toggle("heats", heating.on && heating.target > heating.temperature + 0.2);
  parts.bars.classList.toggle("off", !heating.on);
  parts.warm.textContent = `${heating.temperature.toFixed(0)}°`;
  parts.title.textContent = said(room);
}

function socketAt(picture, socket, x, y) {
  const title = svg("title");
  const group = svg("g", { class: "socket" }, title,
    svg("rect", { x, y, width: 20, height: 20, rx: 5 }), svg("path", { d: `M${x + 7} ${y + 8}v4M${x + 13} ${y + 8}v4` }),
    svg("text", { x: x + 25, y: y + 14 }, short(socket.device, 22)));
  picture.append(group);
  return { group, title };
}

function plug(parts, socket) {
  parts.group.classList.toggle("on", socket.on);
  parts.title.textContent = `${socket.device}: ${socket.on ? "on" : "off"}`;
}

const short = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

/** A colour by its name, as far as the browser knows it; otherwise warm white. */
function colorOf(name) {
  const key = (name ?? "").toLowerCase().replaceAll(/[^a-z#0-9]/g, "");
  return NAMED[key] ?? (key && CSS.supports("color", key) ? key : WARM);
}

function said(room) {
  const { light: lamp, heating } = room;
  const shine = lamp.on ? `light on, ${lamp.brightness} %${lamp.color ? `, ${lamp.color}` : ""}` : "light off";
  return `${room.name}: ${shine}; ${heating.temperature.toFixed(1)}°, heating ${heating.on ? `to ${heating.target}°` : "off"}`;
}

function described(home) {
  return `The home. ${[...home.rooms.map(said), ...home.sockets.map((each) => `${each.device} ${each.on ? "on" : "off"}`)].join(". ")}.`;
}
