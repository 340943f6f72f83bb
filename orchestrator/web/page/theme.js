// Before anything is painted: the theme that this person chose here, so that nothing flashes at night.
(() => {
  let chosen = "";
  try {
    chosen = localStorage.getItem("wavekeeper.theme") ?? "";
  } catch {
    // storage is off; the system's theme holds
  }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
