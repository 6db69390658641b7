// Numbers as people read them.

export function seconds(value) {
  if (value === null || value === undefined) return "–";
  if (value < 0.0095) return `${Math.max(0.1, value * 1000).toFixed(1)} ms`;
  if (value < 0.9995) return `${Math.round(value * 1000)} ms`;
  return value < 60 ? `${value.toFixed(1)} s` : `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
}

export function bytes(value) {
  const mib = value / 2 ** 20;
  return mib < 1000 ? `${Math.round(mib)} MiB` : `${(mib / 1024).toFixed(2)} GiB`;
}

export function rate(value) {
  if (value === null || value === undefined) return "–";
  return value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString("en");
}

/** 2:05 or 1:00:00: what is left, rounded up so that it reads 0:00 only when it is over. */
export function countdown(left) {
  const total = Math.max(0, Math.ceil(left)), hours = Math.floor(total / 3600), minutes = Math.floor((total % 3600) / 60);
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(total % 60)}` : `${minutes}:${two(total % 60)}`;
}

/** As a countdown, and coarser where it is far away. */
export function until(left) {
  if (left < 7200) return countdown(left);
  return left < 172_800 ? `${Math.floor(left / 3600)} h` : `${Math.floor(left / 86400)} days`;
}

/** 14:05, or Tue 3 May 14:05 where that is another day. */
export function moment(at, now = Date.now() / 1000) {
  const date = new Date(at * 1000), time = `${String(date.getHours()).padStart(2, "0")}:${String(date.getMinutes()).padStart(2, "0")}`;
  if (date.toDateString() === new Date(now * 1000).toDateString()) return time;
  return `${date.toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short" })} ${time}`;
}

export function ago(at, now = Date.now() / 1000) {
  const passed = now - at;
  if (passed < 60) return "now";
  if (passed < 3600) return `${Math.floor(passed / 60)} min`;
  if (passed < 86400) return `${Math.floor(passed / 3600)} h`;
  return new Date(at * 1000).toLocaleDateString("en-GB", { day: "numeric", month: "short" });
}

export const plural = (count, one) => `${count} ${one}${count === 1 ? "" : "s"}`;
