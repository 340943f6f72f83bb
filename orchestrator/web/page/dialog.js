// Dialogs: an act with its reason, finding a machine, help. One at a time; Escape closes; what had the focus gets it back.

import { Problem, freshKey, get, path, send } from "./api.js";
import { h } from "./dom.js";
import { CHART_SHORTCUTS, SHORTCUTS, singleKeys } from "./keys.js";

const dialog = document.getElementById("dialog");

export const WORDS = {
  pause: ["Pause", "Pauses", "main"], resume: ["Resume", "Resumes", "main"], approve: ["Approve", "Approves", "main"], abort: ["Abort", "Aborts", "danger"],
  emergency: ["Emergency", "Hurries", "danger", "Declare an emergency for", "Declare emergency"],
  retry: ["Retry", "Retries", "main"], skip: ["Skip", "Skips", ""], "write-off": ["Write off", "Writes off", "danger"],
};

function open(label, ...children) {
  const before = document.activeElement;
  dialog.setAttribute("aria-label", label);
  dialog.replaceChildren(...children);
  if (!dialog.open) dialog.showModal();
  dialog.onclose = () => {
    dialog.replaceChildren();
    if (before?.isConnected) before.focus();
  };
}

dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close(); // beside it
  if (event.target.closest("[data-close]")) dialog.close();
});

/**
 * A form that changes something, sent by `act(key)`: one key for as long as nobody knows what came of it, and then what is asked stays as it is.
 * `check` is a field and what is wrong with it, or nothing.
 */
export function openForm(app, { title, parts, label, tone, check, act }) {
  let key = freshKey();
  const trouble = h("div", { class: "trouble", role: "alert" });
  const confirm = h("button", { class: `button ${tone}`, type: "submit" }, label);
  const form = h("form", { method: "dialog", novalidate: true }, h("h2", `${title}?`), parts, trouble,
    h("div", { class: "buttons" }, h("button", { class: "button", type: "button", data: { close: "1" } }, "Cancel"), confirm));
  open(title, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
    const [field, wrong] = check() ?? [];
    if (field) {
      trouble.replaceChildren(h("p", wrong));
      field.setAttribute("aria-invalid", "true");
      field.focus();
      return;
    }
    confirm.disabled = true;
    confirm.textContent = "Asking…";
    trouble.replaceChildren();
    try {
      const answer = await act(key);
      dialog.close();
      app.say(answer.facts.join("; "));
      app.refresh();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const unknown = error.status === 0 || error.status >= 500;
      if (!unknown) key = freshKey(); // it came to nothing, so that what is asked next is something else
      for (const one of form.querySelectorAll("input, textarea")) one.readOnly = unknown;
      confirm.disabled = false;
      confirm.textContent = unknown ? `${label}: ask again` : label;
      trouble.replaceChildren(h("p", h("b", error.title), ". ", error.message),
        unknown && h("p", "Whether it was carried out isn't known. Asking again from here does it once at most."));
    }
  });
  return confirm;
}

/** The field that every change has: why. */
export function reasonField() {
  const reason = h("textarea", { id: "reason", name: "reason", rows: "3", required: true, maxlength: "1000", "aria-describedby": "reason-help", autocomplete: "off" });
  const parts = [h("label", { for: "reason" }, "Reason"), reason, h("p", { class: "soft small", id: "reason-help" }, "It goes into the journal with your name.")];
  const missing = () => (reason.value.trim() ? null : [reason, "Say why: whoever reads the journal will want to know."]);
  return { reason, parts, missing };
}

/** Ask for a reason, tell what the act would start, and do it. */
export function openAct(app, { act: verb, rollout, machine }) {
  const [label, , tone, asks = label, confirms = label] = WORDS[verb];
  const base = machine ? path`/rollouts/${rollout}/machines/${machine}` : path`/rollouts/${rollout}`;
  const effect = h("div", { class: "effect", id: "effect", role: "status" }, "Looking up what it would start…");
  const { reason, parts, missing } = reasonField();
  const confirm = openForm(app, {
    title: `${asks} ${machine ?? rollout}`, parts: [machine && h("p", { class: "soft" }, `in rollout ${rollout}`), effect, parts], label: confirms, tone, check: missing,
    act: (key) => send("POST", `${base}/${verb}`, { reason: reason.value.trim() }, key),
  });
  reason.focus();
  tell(base, verb, effect, confirm);
}

async function tell(base, verb, effect, confirm) {
  try {
    const act = (await get(`${base}/acts`)).items.find((one) => one.verb === verb);
    effect.textContent = act?.why_not ? `Not now: ${act.why_not}.` : act?.effect ?? "Not now: there is nothing that it would change any more.";
    if (act?.shortens.length) effect.append(h("p", h("b", "It shortens:")), h("ul", act.shortens.map((one) => h("li", one))));
    effect.classList.toggle("not-now", !act || Boolean(act.why_not));
    effect.classList.toggle("grave", Boolean(act?.shortens.length));
    if (!act || act.why_not) confirm.disabled = true;
  } catch (error) {
    effect.textContent = `What it would start couldn't be looked up: ${error.message}`;
  }
}

export function openFind(app) {
  const field = h("input", { id: "find", name: "find", type: "search", autocomplete: "off", autocapitalize: "none", spellcheck: "false", placeholder: "vm-web-042" });
  const trouble = h("div", { class: "trouble", role: "alert" });
  const form = h("form", { method: "dialog" }, h("h2", "Find a machine"),
    h("label", { for: "find" }, "Name or ARM id: where it stands, and why it moves or waits"), field, trouble,
    h("div", { class: "buttons" }, h("button", { class: "button", type: "button", data: { close: "1" } }, "Cancel"), h("button", { class: "button main", type: "submit" }, "Find")));
  open("Find a machine", form);
  field.focus();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const name = field.value.trim();
    if (!name) return;
    try {
      await get(path`/machines/${name}`);
      dialog.close();
      location.hash = path`#/machines/${name}`;
    } catch (error) {
      trouble.replaceChildren(h("p", error.message));
    }
  });
}

export function openHelp(app) {
  const list = (pairs) => h("dl", { class: "keys" }, pairs.map(([key, what]) => [h("dt", h("kbd", key)), h("dd", what)]));
  const single = h("input", { type: "checkbox", id: "single", checked: singleKeys() });
  single.addEventListener("change", () => singleKeys(single.checked));
  open("Keyboard shortcuts", h("form", { method: "dialog" }, h("h2", "Keyboard shortcuts"), list(SHORTCUTS), h("h3", "In the chart"), list(CHART_SHORTCUTS),
    h("p", h("label", { class: "check", for: "single" }, single, " Single keys do something")),
    h("p", { class: "soft small" }, "Times are UTC everywhere; the time of your own zone is under the pointer."),
    h("div", { class: "buttons" }, app.me && h("button", { class: "button", type: "submit", formmethod: "post", formaction: "/sign-out" }, `Sign out ${app.me.name}`),
      h("button", { class: "button main", type: "submit" }, "Close"))));
}
