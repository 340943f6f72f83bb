"""What holds of every view for whoever can't see it well, or not at all: names, labels, order, contrast, and targets of a finger's size."""

from __future__ import annotations

RULES = r"""({touch}) => {
  const found = [];
  const seen = (it) => it.checkVisibility({visibilityProperty: true, opacityProperty: true}) && it.getBoundingClientRect().width > 1;
  const where = (it) => `${it.tagName.toLowerCase()}${it.id ? "#" + it.id : ""}.${it.className?.baseVal ?? it.className} "${(it.textContent ?? "").trim().slice(0, 40)}"`;
  const labelled = (it) => (it.getAttribute("aria-label") ?? "").trim() || (it.getAttribute("aria-labelledby") ?? "").split(/\s+/).map((id) => document.getElementById(id)?.textContent ?? "").join("").trim();
  const spoken = (it) => {
    const copy = it.cloneNode(true);
    copy.querySelectorAll("[aria-hidden=true]").forEach((hidden) => hidden.remove());
    return copy.textContent.trim();
  };

  // Names and labels.
  for (const it of document.querySelectorAll("a[href], button, summary, [role=button]")) {
    if (seen(it) && !labelled(it) && !spoken(it) && !it.title) found.push(`has no name: ${where(it)}`);
  }
  for (const it of document.querySelectorAll("input, select, textarea")) {
    if (seen(it) && !labelled(it) && !it.labels?.length) found.push(`has no label: ${where(it)}`);
  }
  for (const it of document.querySelectorAll("canvas, [role=img], svg:not([aria-hidden=true]), [role=region], [role=group], [role=toolbar], nav, dialog[open], section[aria-labelledby]")) {
    if (seen(it) && !labelled(it)) found.push(`says nothing to who can't see it: ${where(it)}`);
  }
  for (const it of document.querySelectorAll("[aria-hidden=true]")) {
    if (it.querySelector("a[href], button, input, [tabindex]")) found.push(`hidden, and can have the focus: ${where(it)}`);
  }

  // Order.
  const ids = [...document.querySelectorAll("[id]")].map((it) => it.id);
  for (const id of new Set(ids.filter((id, place) => ids.indexOf(id) !== place))) found.push(`two things are called #${id}`);
  if (!document.documentElement.lang) found.push("no language");
  if (!document.title) found.push("no title");
  const heads = [...document.querySelectorAll("main h1, main h2, main h3")].map((it) => Number(it.tagName[1]));
  if (heads.filter((level) => level === 1).length > 1) found.push("several h1");
  heads.forEach((level, place) => { if (place && level > heads[place - 1] + 1) found.push(`an h${level} follows an h${heads[place - 1]}`); });
  for (const it of document.querySelectorAll("[tabindex]")) if (Number(it.getAttribute("tabindex")) > 0) found.push(`a tabindex above 0: ${where(it)}`);
  for (const it of document.querySelectorAll("th")) if (!it.scope) found.push(`a head without a scope: ${where(it)}`);
  if (document.querySelector("[style*=';']") && document.querySelector("[onclick], [onload], script:not([src])")) found.push("a script within the page");

  // Contrast.
  const paint = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = (colour) => { paint.clearRect(0, 0, 1, 1); paint.fillStyle = colour; paint.fillRect(0, 0, 1, 1); const [r, g, b, a] = paint.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255]; };
  const light = ([r, g, b]) => { const [x, y, z] = [r, g, b].map((v) => { const s = v / 255; return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4; }); return 0.2126 * x + 0.7152 * y + 0.0722 * z; };
  const over = (top, under) => top.slice(0, 3).map((v, i) => v * top[3] + under[i] * (1 - top[3]));
  const ground = (it) => {
    const layers = [];
    for (let at = it; at; at = at.parentElement) { const colour = rgba(getComputedStyle(at).backgroundColor); layers.push(colour); if (colour[3] === 1) break; }
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255]);
  };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const it = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !seen(it) || it.closest(".unseen, noscript, :disabled")) continue;
    const style = getComputedStyle(it);
    const under = ground(it);
    const [one, other] = [light(over(rgba(style.color), under)), light(under)].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (other + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) found.push(`contrast ${ratio.toFixed(2)}: ${where(it)}`);
  }

  // Fingers.
  if (touch) {
    for (const it of document.querySelectorAll("button, .tabs a, .subtabs a, select, input, summary")) {
      const box = it.getBoundingClientRect();
      if (seen(it) && (box.height < 38 || box.width < 38)) found.push(`too small for a finger (${Math.round(box.width)} x ${Math.round(box.height)}): ${where(it)}`);
    }
    if (document.documentElement.scrollWidth > screen.width) found.push(`wider than the screen: ${document.documentElement.scrollWidth}`);
  }
  return found;
}"""
"""Run in the page; what it returns is what is wrong, in words."""
