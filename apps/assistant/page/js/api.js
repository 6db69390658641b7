// The backend: requests with this start's token, and the stream of events. See ../../API.md.

export class ApiError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

let token = "";
const gone = new Set();

/** Whether the address bar holds a token; the skip link's #message is none. */
export const isTokenGiven = () => location.hash.length > 1 && location.hash !== "#message";

/** Takes the token out of the address bar, or the one that this tab has. Returns whether there is one. */
export function takeToken() {
  if (isTokenGiven()) {
    keep("token", location.hash.slice(1));
    history.replaceState(null, "", "/");
  }
  token = kept("token");
  return token !== "";
}

const memory = new Map();  // where storage is blocked: until the next reload

export function keep(name, value) {
  memory.set(name, String(value));
  try { sessionStorage.setItem(name, value); } catch { /* in memory only */ }
}

export function kept(name) {
  try { return sessionStorage.getItem(name) ?? memory.get(name) ?? ""; } catch { return memory.get(name) ?? ""; }
}

/** Told when the token is that of another start. */
export const onWrongToken = (listener) => gone.add(listener);

export async function call(method, path, body) {
  const headers = { Authorization: `Bearer ${token}` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new ApiError(0, "unreachable", "The assistant cannot be reached. Is it still running in the terminal?");
  }
  if (response.ok) return response.status === 204 ? null : response.json();
  throw await refused(response);
}

export const get = (path) => call("GET", path);
export const post = (path, body = {}) => call("POST", path, body);

async function refused(response) {
  if (response.status === 401) for (const listener of gone) listener();
  const error = (await response.json().catch(() => ({}))).error ?? {};
  return new ApiError(response.status, error.code ?? "unknown", error.message ?? `The assistant answered ${response.status}.`);
}

const SILENCE = 15_000, LONGEST_PAUSE = 5_000;  // ms

/** Reads events until the token is refused. on(name, data); up(whether the connection stands). */
export async function listen(after, on, up) {
  let last = after, pause = 250;
  for (;;) {
    const abort = new AbortController();
    let watch = setTimeout(() => abort.abort(), SILENCE);
    try {
      const response = await fetch(`/api/stream?after=${last}`, { headers: { Authorization: `Bearer ${token}` }, signal: abort.signal });
      if (!response.ok) throw await refused(response);
      up(true);
      pause = 250;
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let waiting = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        clearTimeout(watch);
        watch = setTimeout(() => abort.abort(), SILENCE);
        const blocks = (waiting + value).split("\n\n");
        waiting = blocks.pop();
        for (const block of blocks) last = told(block, on) ?? last;
      }
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return;
    } finally {
      clearTimeout(watch);
    }
    up(false);
    await new Promise((done) => setTimeout(done, pause));
    pause = Math.min(2 * pause, LONGEST_PAUSE);
  }
}

function told(block, on) {
  const fields = {};
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 1).trimStart();
  }
  if (fields.data !== undefined) on(fields.event, JSON.parse(fields.data));
  return fields.id;
}
