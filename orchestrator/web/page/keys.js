// Shortcuts. Single keys can be switched off (WCAG 2.1.4), and never work while something is typed.

export const SHORTCUTS = [
  ["?", "This help"],
  ["/", "Find a machine"],
  ["g then r", "Rollouts"],
  ["g then f", "Fleet"],
  ["g then b", "Budgets"],
  ["g then c", "Calendar"],
  ["g then l", "Log"],
  ["g then p", "Policies"],
  ["1 to 4", "Answers, chart, machines and log of a rollout"],
  ["p", "Pause: opens the dialog, nothing is done yet"],
  ["r", "Resume"],
  ["a", "Approve"],
  ["t", "Theme: as the system, light, dark"],
  ["Esc", "Close"],
];

export const CHART_SHORTCUTS = [
  ["↑ ↓", "Choose a row"],
  ["← →", "Earlier, later"],
  ["+ −", "Time nearer, farther"],
  ["[ ]", "Rows lower, higher"],
  ["n", "Next machine that wants a look"],
  ["Space", "Unfold or fold the lane"],
  ["Enter", "To the details of the chosen row"],
  ["0", "Everything at once"],
  [".", "Follow now"],
  ["Wheel", "Scroll; with Shift sideways, with Ctrl nearer or farther"],
];

const GO = { r: "#/", f: "#/fleet", b: "#/budgets", c: "#/calendar", l: "#/log", p: "#/policies" };
const RUN = { "?": "help", "/": "find", t: "theme" };
const PRESS = { p: "pause", r: "resume", a: "approve" };

export function singleKeys(chosen) {
  try {
    if (chosen !== undefined) localStorage.setItem("wavekeeper.keys", chosen ? "" : "off");
    return localStorage.getItem("wavekeeper.keys") !== "off";
  } catch {
    return true;
  }
}

export function setKeys(app, { run, press }) {
  let going = false; // a `g` was pressed, and the next key says where to
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const closed = event.target.closest("dialog:not([open])"); // its field may have the focus for a moment more
    if ((!closed && event.target.closest("input, textarea, select, dialog[open]")) || !singleKeys()) return;
    if (event.key === "Shift") return;
    if (going && GO[event.key]) {
      event.preventDefault();
      going = false;
      location.hash = GO[event.key];
      return;
    }
    going = event.key === "g";
    if (going) return;
    if (RUN[event.key]) { event.preventDefault(); run(RUN[event.key]); }
    else if (app.view?.tabKeys?.[event.key]) location.hash = app.view.tabKeys[event.key];
    else if (PRESS[event.key]) { event.preventDefault(); press(PRESS[event.key]); }
  });
}
