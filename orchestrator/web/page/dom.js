// Elements without markup in strings: text is always text, whatever a machine is called.

/** `h("p", {class: "soft"}, "words", child)`. `data` and `aria` are maps; `style` too, set one by one so that no inline style is needed. */
export function h(tag, given, ...children) {
  const plain = given === undefined || given === null || typeof given !== "object" || given instanceof Node || Array.isArray(given);
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(plain ? {} : given)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "data") for (const [key, held] of Object.entries(value)) { if (held !== undefined) element.dataset[key] = held; }
    else if (name === "style") for (const [key, held] of Object.entries(value)) element.style.setProperty(key, held);
    else element.setAttribute(name, value === true ? "" : value);
  }
  add(element, plain ? [given, ...children] : children);
  return element;
}

function add(element, children) {
  for (const child of children.flat(9)) {
    if (child !== undefined && child !== null && child !== false) element.append(child);
  }
}

/** Make `old` show what `children` say, keeping every element that can stay: focus, selection and scroll survive an update. */
export function show(old, ...children) {
  const fresh = document.createElement(old.tagName);
  add(fresh, children);
  morphChildren(old, fresh);
}

function morphChildren(old, fresh) {
  const keyed = new Map();
  for (const child of old.children) if (child.dataset.key) keyed.set(child.dataset.key, child);
  let place = old.firstChild;
  for (let next = fresh.firstChild; next;) {
    const wanted = next;
    next = next.nextSibling;
    const held = wanted.dataset?.key ? keyed.get(wanted.dataset.key) : undefined;
    if (held && held !== place) old.insertBefore(held, place);
    const here = held ?? place;
    if (here && alike(here, wanted)) {
      morph(here, wanted);
      place = here.nextSibling;
    } else {
      old.insertBefore(wanted, place);
    }
  }
  while (place) {
    const gone = place;
    place = place.nextSibling;
    gone.remove();
  }
}

function alike(one, other) {
  return one.nodeType === other.nodeType && one.nodeName === other.nodeName
    && (one.dataset?.key ?? "") === (other.dataset?.key ?? "");
}

function morph(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  if (old.dataset.keep !== undefined) return; // it looks after itself: a canvas, a field that is typed in
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !(name === "open" && old.nodeName === "DETAILS")) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) === value) continue;
    if (name === "style") old.style.cssText = value; // as an attribute the page's policy doesn't let it in
    else old.setAttribute(name, value);
  }
  morphChildren(old, fresh);
}

/** A list of terms and what they are. */
export function facts(pairs) {
  return h("dl", { class: "facts" }, pairs.filter(Boolean).map(([term, what]) => [h("dt", term), h("dd", what)]));
}

/** A table with a caption for those who hear it; rows are lists of cells. */
export function table(caption, heads, rows, empty) {
  if (!rows.length) return h("p", { class: "soft" }, empty);
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h("table", h("caption", { class: "unseen" }, caption),
      h("thead", h("tr", heads.map((head) => h("th", { scope: "col" }, head)))),
      h("tbody", rows.map((row) => h("tr", { data: { key: row.key } },
        row.cells.map((cell, place) => h("td", { "data-head": heads[place] }, cell)))))));
}

export function count(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}
