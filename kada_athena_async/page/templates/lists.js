// Tables that are drawn in windows of rows, sort, and become cards on a narrow screen.

const compare = (a, b) => {
  if (typeof a === "number" || typeof b === "number") return (a ?? -Infinity) - (b ?? -Infinity);
  return String(a ?? "").localeCompare(String(b ?? ""));
};

const bar = (value, most) => {
  const made = el("span", { class: "bar", "aria-hidden": "true" });
  made.style.setProperty("--share", most > 0 ? Math.max(0, Math.min(1, value / most)) : 0);
  return made;
};

// columns: {title, cell(row), value(row) for sorting, number, bar}; the first is the row's header.
const list = ({ caption, columns, rows, step = 25, empty = "Nothing.", sorted = null }) => {
  if (!rows.length) return note(empty);
  let shown = step;
  let ordered = rows;
  const most = columns.map((column) => column.bar
    ? rows.reduce((top, row) => Math.max(top, column.value(row) || 0), 0) : 0);
  const body = el("tbody", { role: "rowgroup" });
  const status = el("span", {});
  const more = el("button", { type: "button", class: "link", onclick: () => { show(shown + step); } }, "");
  const all = el("button", { type: "button", class: "link", onclick: () => { show(rows.length); } }, "");
  const foot = el("p", { class: "more" }, status, more, all);
  const cell = (column, row, place) => {
    const content = column.cell ? column.cell(row) : column.value(row);
    const attributes = {
      class: [column.number ? "n" : "", column.wide ? "wide" : "", content === NONE ? "none" : ""].filter(Boolean).join(" ") || null,
      "data-label": column.title,
    };
    const inside = column.bar ? [el("span", {}, content), bar(column.value(row), most[place])] : [content];
    return place ? el("td", { role: "cell", ...attributes }, ...inside)
      : el("th", { scope: "row", role: "rowheader", ...attributes }, ...inside);
  };
  const draw = (from) => {
    for (const row of ordered.slice(from, shown)) {
      body.append(el("tr", { role: "row" }, columns.map((column, place) => cell(column, row, place))));
    }
  };
  const show = (wanted) => {
    const from = shown;
    shown = Math.min(wanted, rows.length);
    if (from < shown) draw(from);
    mark();
  };
  const mark = () => {
    const left = rows.length - Math.min(shown, rows.length);
    status.textContent = left ? `${count(shown)} of ${count(rows.length)} shown. ` : "";
    more.textContent = `Show ${count(Math.min(step, left))} more`;
    all.textContent = `Show all ${count(rows.length)}`;
    all.hidden = left <= step || rows.length > 5000;
    foot.hidden = !left;
    refit();
  };
  const refit = () => { if (body.isConnected) fit(body.closest(".listing")); };
  const headers = columns.map((column) => {
    if (!column.value) return el("th", { scope: "col", role: "columnheader" }, column.title);
    const header = el("th", { scope: "col", role: "columnheader", "aria-sort": "none", class: column.number ? "n" : null });
    const sort = () => {
      const now = header.getAttribute("aria-sort");
      const goesDown = now === "none" ? Boolean(column.number) : now === "ascending";
      headers.forEach((other) => { if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none"); });
      header.setAttribute("aria-sort", goesDown ? "descending" : "ascending");
      const keyed = rows.map((row) => [column.value(row), row]);
      keyed.sort((a, b) => (goesDown ? compare(b[0], a[0]) : compare(a[0], b[0])));
      ordered = keyed.map(([, row]) => row);
      body.replaceChildren();
      draw(0);
      refit();
    };
    header.append(el("button", { type: "button", onclick: sort }, column.title));
    if (column.title === sorted) header.setAttribute("aria-sort", column.number ? "descending" : "ascending");
    return header;
  });
  shown = Math.min(step, rows.length);
  draw(0);
  mark();
  return fitting(el("div", { class: "listing" },
    el("table", { class: "list", role: "table" },
      caption ? el("caption", {}, caption) : null,
      el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, headers)),
      body),
    foot));
};

// A table where it fits, else a card for each row: nothing ever lies beside the screen.
const NARROW = 560;
const fit = (listing) => {
  listing.classList.remove("cards");
  const table = listing.firstElementChild;
  listing.classList.toggle("cards", listing.clientWidth < NARROW && innerWidth < 740 || table.scrollWidth > listing.clientWidth + 1);
};
const widths = new WeakMap();
const sizes = new ResizeObserver((entries) => entries.forEach(({ target, contentRect }) => {
  if (widths.get(target) === contentRect.width) return;
  widths.set(target, contentRect.width);
  fit(target);
}));
const fitting = (listing) => {
  sizes.observe(listing);
  return listing;
};

const facts = (pairs) => el("dl", { class: "facts" },
  pairs.filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== NONE)
    .map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));

const tiles = (entries) => el("dl", { class: "tiles" }, entries.filter(([value]) => value !== NONE).map(([value, label, remark, kind]) =>
  el("div", { class: kind || null }, el("dt", {}, label), el("dd", {}, value, remark ? el("small", {}, remark) : null))));
