// Asking the daemon. What comes back is JSON, or a Problem that says in words what is wrong.

const BASE = "/api/v1";

/** Why a request came to nothing. `status` 0: nobody answered. */
export class Problem extends Error {
  constructor(status, title, detail, problems = []) {
    super(detail || title);
    this.status = status;
    this.title = title;
    this.problems = problems;
  }
}

let tell = () => {};

/** `listener(kind)` hears of every answer: "answered", "silent" (nobody answered), "signed-out". */
export function onAnswer(listener) {
  tell = listener;
}

export async function get(path, query = {}) {
  const asked = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== "" && value !== undefined && value !== null));
  return ask(`${BASE}${path}${asked.size ? `?${asked}` : ""}`, { headers: { Accept: "application/json" } });
}

/** Every page of a list, up to `most` items; `more` says that there would be more. */
export async function all(path, query = {}, most = 2000) {
  const items = [];
  let cursor = "";
  do {
    const page = await get(path, { ...query, cursor });
    items.push(...page.items);
    cursor = page.next ?? "";
  } while (cursor && items.length < most);
  return { items, more: Boolean(cursor) };
}

/** Something that changes: `key` makes a repetition of the same dialog the same act. */
export async function send(method, path, body, key) {
  const headers = { Accept: "application/json", "Content-Type": "application/json", "Idempotency-Key": key };
  return ask(`${BASE}${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
}

async function ask(url, options) {
  let answer;
  try {
    answer = await fetch(url, { cache: "no-store", credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    tell("silent");
    throw new Problem(0, "No answer", "The daemon doesn't answer. It may be restarting; what runs in the cloud goes on, and nothing is lost.");
  }
  if (answer.status === 401) {
    tell("signed-out");
    throw new Problem(401, "Signed out", "You are not signed in, or no longer.");
  }
  if (answer.status >= 502 && answer.status <= 504) tell("silent");
  else tell("answered");
  const text = await answer.text();
  let value;
  try {
    value = text ? JSON.parse(text) : undefined;
  } catch {
    throw new Problem(answer.status, "Unreadable", `The answer can't be read (HTTP ${answer.status}).`);
  }
  if (!answer.ok) throw new Problem(answer.status, value?.title ?? `HTTP ${answer.status}`, value?.detail ?? "", value?.problems ?? []);
  return value;
}

export const path = (strings, ...values) => String.raw({ raw: strings }, ...values.map(encodeURIComponent));

/** A key for one dialog. `randomUUID` is only there over https and on loopback. */
export function freshKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
