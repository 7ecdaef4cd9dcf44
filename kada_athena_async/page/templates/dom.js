"use strict";
// Elements from texts: nothing that comes from the estate is ever read as markup.

const byId = (id) => document.getElementById(id);

const fill = (made, attributes, children) => {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat(4).filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
};

const el = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);

const SVG = "http://www.w3.org/2000/svg";
const svg = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

// A name from the estate: its direction of writing does not touch what stands beside it.
// It breaks after a dot or an underscore before it breaks anywhere else.
const named = (text) => el("bdi", {}, String(text).split(/(?<=[._])/).flatMap((part, place) => (place ? [el("wbr"), part] : [part])));

const link = (href, ...children) => el("a", { href }, ...children);

const panel = (title, ...children) => {
  const id = `p${(panel.count = (panel.count || 0) + 1)}`;
  return el("section", { class: "panel", "aria-labelledby": id }, el("h2", { id }, title), ...children);
};

const note = (...children) => el("p", { class: "note" }, ...children);

const details = (summary, make) => {
  const made = el("details", {}, el("summary", {}, summary));
  made.addEventListener("toggle", () => {
    if (made.open && made.children.length === 1) made.append(make());
  });
  return made;
};
