// The shell: which view is shown, whether what it shows is live, and who is looking.

import { Problem, get, onAnswer } from "./api.js";
import { openAct, openFind, openHelp } from "./dialog.js";
import { openHold, openLift } from "./dialog-hold.js";
import { h, show } from "./dom.js";
import { setKeys } from "./keys.js";
import { Stream } from "./stream.js";
import { absolute, heard, now, span, tick } from "./times.js";
import { TABS, viewOf } from "./views.js";

const byId = (id) => document.getElementById(id);
const SOON_MS = 900; // at most one look in so long, however much happens
const SHARE = 8; // and of the time only so much: what takes the daemon long is asked for less often
const ANYWAY_MS = 20_000; // and one in so long if nothing does: windows open by themselves

export const app = {
  me: null,
  link: "connecting", // connecting, live, lost, signed-out
  since: Date.now(), // of the link's state
  seen: 0, // the daemon's time of the last answer that is shown
  view: null,
  recent: [], // events since the page was opened, the latest last
  say(text) {
    byId("said").textContent = "";
    requestAnimationFrame(() => { byId("said").textContent = text; });
    clearTimeout(app.quiet);
    app.quiet = setTimeout(() => { byId("said").textContent = ""; }, 8000);
  },
  refresh: () => load(),
};

// What is shown ---------------------------------------------------------------------------------------------

let turn = 0; // answers to what was asked for another view are thrown away
let loading = false;
let again = false;
let timer = 0;
let pace = SOON_MS;

function route() {
  app.view?.leave?.();
  turn += 1;
  loading = again = false;
  const [where, query = ""] = location.hash.replace(/^#/, "").split("?");
  const parts = where.split("/").filter(Boolean).map(decodeURIComponent);
  app.view = viewOf(parts, new URLSearchParams(query), app);
  app.data = undefined;
  app.seen = 0;
  document.title = `${app.view.title} · Wavekeeper`;
  document.body.dataset.view = app.view.name;
  drawTabs();
  byId("main").replaceChildren(h("p", { class: "soft loading" }, "Loading…"));
  if (turn > 1) byId("main").focus({ preventScroll: true }); // who goes by keys, or hears the page, goes on from here
  window.scrollTo(0, 0);
  return load();
}

async function load() {
  if (loading) {
    again = true;
    return;
  }
  loading = true;
  const mine = turn;
  const begun = performance.now();
  try {
    const data = await app.view.load();
    pace = Math.max(SOON_MS, SHARE * (performance.now() - begun));
    if (mine !== turn) return;
    app.data = data;
    app.failed = null;
    app.seen = now();
    draw();
  } catch (error) {
    if (mine !== turn) return;
    if (!(error instanceof Problem)) throw error;
    app.failed = error;
    if (app.data === undefined || error.status === 403 || error.status === 404) show(byId("main"), failure(error));
    drawLink();
  } finally {
    if (mine === turn) {
      loading = false;
      if (again) {
        again = false;
        soon();
      }
    }
  }
}

function draw() {
  if (app.data !== undefined && app.link !== "signed-out") {
    if (app.view.paint) app.view.paint(byId("main"), app.data);
    else show(byId("main"), app.view.draw(app.data));
    document.title = `${app.view.headline?.(app.data) ?? app.view.title} · Wavekeeper`;
  }
  drawLink();
  tick();
}

function soon(delay = pace) {
  clearTimeout(timer);
  timer = setTimeout(() => { if (!document.hidden) load(); }, delay);
}

let due = 0;
function happened() {
  const wait = Math.max(0, due - Date.now());
  if (wait === 0) due = Date.now() + pace;
  clearTimeout(timer);
  timer = setTimeout(() => { due = Date.now() + pace; load(); }, wait || 60);
}

function failure(error) {
  if (error.status === 401) return signedOut();
  const titles = { 0: "The daemon doesn't answer", 403: "This is not yours to see", 404: "There is no such thing here" };
  return h("section", { class: "card notice" }, h("h1", titles[error.status] ?? error.title), h("p", error.message),
    error.problems.length > 0 && h("ul", error.problems.map((one) => h("li", `${one.place}: ${one.what}. ${one.instead ?? ""}`))),
    error.status === 0 ? h("p", { class: "soft" }, "This page tries again by itself.") : h("p", h("a", { href: "#/" }, "All rollouts")));
}

function signedOut() {
  const back = encodeURIComponent(location.pathname + location.hash);
  return h("section", { class: "card notice" }, h("h1", "You are signed out"),
    h("p", "Rollouts go on as they are. Sign in to see them, and to stop them."),
    h("p", h("a", { class: "button main", href: `/sign-in?to=${back}` }, "Sign in")));
}

// Whether it is live ----------------------------------------------------------------------------------------

let streaming = "connecting"; // as the stream has it
let silent = false; // whether the last thing that was asked was answered by nobody

/** Live is what both say: events come, and what is asked is answered. */
function judge() {
  setLink(streaming === "signed-out" ? streaming : silent ? "lost" : streaming);
}

function setLink(state) {
  const before = app.link;
  if (state === before) return;
  app.link = state;
  app.since = Date.now();
  if (state === "signed-out") show(byId("main"), signedOut());
  if (state === "live" && before !== "connecting") app.view?.reconnected?.();
  if (state === "live") who().then(load);
  draw();
}

function drawLink() {
  const stale = app.link === "lost" || app.failed?.status === 0;
  const link = byId("link");
  const [sign, word, tone] = app.link === "signed-out" ? ["○", "Signed out", "soft"]
    : stale ? ["▲", "Connection lost", "red"] : app.link === "live" ? ["●", "Live", "green"] : ["◌", "Connecting", "soft"];
  link.className = `link ${tone}`;
  show(link, h("span", { "aria-hidden": "true" }, sign), " ", word);
  document.body.classList.toggle("is-stale", stale && app.data !== undefined);
  document.body.dataset.link = stale ? "lost" : app.link;
  const bar = byId("stale");
  bar.hidden = !(stale && app.data !== undefined);
  if (!bar.hidden) {
    const said = `Connection lost. This is how it stood at ${absolute(app.seen)}; it has not been looked at since.`;
    if (bar.firstChild?.textContent !== said) {
      bar.replaceChildren(h("span", said), h("span", { class: "ago", "aria-hidden": "true" }), h("button", { type: "button", data: { do: "reconnect" } }, "Try now"));
    }
    bar.querySelector(".ago").textContent = `${span(now() - app.seen)} ago`;
  }
  for (const button of document.querySelectorAll('button[data-act], button[data-do="hold"], button[data-do="lift"]')) {
    const away = stale ? "There is no connection to the daemon" : "";
    if (away && !button.disabled) { button.disabled = true; button.dataset.away = "1"; button.title = away; }
    else if (!away && button.dataset.away) { button.disabled = false; delete button.dataset.away; button.removeAttribute("title"); }
  }
}

async function who() {
  try {
    app.me = await get("/me");
    heard(app.me.at);
    app.bad = Boolean((await get("/policies")).bad);
    if (app.view) drawTabs();
    show(byId("who"), h("span", { title: `May: ${app.me.verbs.join(", ")}` }, app.me.name));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
  }
}

onAnswer((kind) => {
  if (kind === "signed-out") streaming = "signed-out";
  if (kind === "silent" && !silent) stream.cut(); // a line that seems to be open may be as dead
  silent = kind === "silent";
  judge();
});

globalThis.wavekeeper = app; // for whoever measures it

const stream = new Stream("/api/v1/events", {
  onState(state) {
    streaming = state;
    if (state === "live") silent = false;
    judge();
  },
  onEvent({ event, data }) {
    heard(data.at);
    app.recent.push({ event, ...data });
    if (app.recent.length > 2000) app.recent.splice(0, 500);
    if (app.view.hears?.(data) ?? true) happened();
  },
});

// What is pressed -------------------------------------------------------------------------------------------

function drawTabs() {
  show(byId("nav"), TABS.map(([name, label, key]) => h("a", {
    href: name === "rollouts" ? "#/" : `#/${name}`, "aria-current": app.view.tab === name ? "page" : undefined, title: `${label} (g ${key})`,
  }, label, name === "policies" && app.bad && h("span", { class: "red" }, h("span", { "aria-hidden": "true" }, " ✕"), h("span", { class: "unseen" }, ", bad commit")))));
}

const THEMES = { "": ["◐", "Theme: as the system"], light: ["☀", "Theme: light"], dark: ["☾", "Theme: dark"] };

function theme(next) {
  const names = Object.keys(THEMES);
  const held = document.documentElement.dataset.theme ?? "";
  const chosen = next ? names[(names.indexOf(held) + 1) % names.length] : held;
  if (chosen) document.documentElement.dataset.theme = chosen;
  else delete document.documentElement.dataset.theme;
  try {
    localStorage.setItem("wavekeeper.theme", chosen);
  } catch {
    // it holds until the page is closed
  }
  const button = byId("theme-button");
  [button.textContent, button.title] = [THEMES[chosen][0], `${THEMES[chosen][1]} (t)`];
  button.setAttribute("aria-label", THEMES[chosen][1]);
  if (next) app.say(THEMES[chosen][1]);
  document.dispatchEvent(new Event("theme"));
}

const DO = {
  help: () => openHelp(app),
  find: () => openFind(app),
  theme: () => theme(true),
  reconnect: () => { stream.again(); load(); },
  act: (data) => openAct(app, data),
  hold: () => openHold(app),
  lift: (data) => openLift(app, data),
};

document.addEventListener("click", (event) => {
  const element = event.target.closest("[data-do], [data-act]");
  if (!element || element.disabled || element.getAttribute("aria-disabled") === "true") return;
  const name = element.dataset.do ?? "act";
  (app.view.does?.[name] ?? DO[name])?.(element.dataset, element);
});
document.addEventListener("input", (event) => {
  const name = event.target.dataset?.input;
  if (name) app.view.does?.[name]?.(event.target.value, event.target);
});

setKeys(app, {
  run(name, data) { (app.view.does?.[name] ?? DO[name])?.(data ?? {}); },
  press(verb) {
    const button = document.querySelector(`main button[data-act="${verb}"]:not([data-machine])`)
      ?? document.querySelector(`main button[data-act="${verb}"]`);
    if (button && !button.disabled) button.click();
    else if (button) app.say(`${verb}: ${button.dataset.why || button.title || "not now"}`);
  },
});

window.addEventListener("hashchange", route);
window.addEventListener("online", () => stream.again());
document.addEventListener("visibilitychange", () => { if (!document.hidden) { stream.again(); load(); } });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.dispatchEvent(new Event("theme")));
setInterval(() => { tick(); drawLink(); app.view?.tick?.(); }, 1000);
setInterval(() => { if (!document.hidden && app.link === "live") who().then(load); }, ANYWAY_MS);
theme(false);
route();
