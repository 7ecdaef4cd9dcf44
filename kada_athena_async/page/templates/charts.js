// Charts as plain SVG, drawn to the width that there is; each has its numbers as a table.

const CHART = { height: 150, left: 54, right: 4, top: 12, bottom: 22 };

const responsive = (make) => {
  const box = el("div", { class: "chart" });
  let width = 0;
  const draw = () => {
    const now = Math.floor(box.clientWidth);
    if (now > 40 && now !== width) {
      width = now;
      box.replaceChildren(make(width));
    }
  };
  new ResizeObserver(draw).observe(box);
  return box;
};

const niceTop = (value) => {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map((step) => step * power).find((step) => step >= value);
};

// layers: [{name, values, kind}], stacked; format: a value in words.
const dayChart = ({ title, total, days, partial, layers, format, top = null }) => {
  const sums = days.map((_, place) => layers.reduce((sum, layer) => sum + layer.values[place], 0));
  const highest = sums.reduce((a, b) => Math.max(a, b), 0);
  const limit = top ? top(highest) : niceTop(highest);
  const readout = el("p", { class: "readout", "aria-hidden": "true" });
  const words = (place) => `${days[place]}${partial[place] ? " (partial day)" : ""}: ` + (layers.length === 1
    ? format(sums[place])
    : `${layers.map((layer) => `${layer.name} ${format(layer.values[place])}`).join(", ")}`);
  const rest = () => {
    const peak = sums.indexOf(highest);
    readout.textContent = highest > 0 ? `Most on ${words(peak)}` : "None in this time";
  };
  rest();
  const draw = (width) => {
    const inner = { width: width - CHART.left - CHART.right, height: CHART.height - CHART.top - CHART.bottom };
    const slot = inner.width / Math.max(days.length, 1);
    const thick = Math.max(1, Math.min(34, slot * 0.78));
    const y = (value) => CHART.top + inner.height * (1 - value / limit);
    const picture = svg("svg", {
      viewBox: `0 0 ${width} ${CHART.height}`, role: "img",
      "aria-label": `${title} by day, ${days[0]} to ${days[days.length - 1]}; most ${format(highest)}. The same numbers are in the next table.`,
    });
    for (const part of format(limit) === format(limit / 2) ? [1] : [1, 0.5]) {
      picture.append(
        svg("line", { class: "grid", x1: CHART.left, x2: width - CHART.right, y1: y(limit * part), y2: y(limit * part) }),
        svg("text", { class: "tick", x: CHART.left - 6, y: y(limit * part) + 4, "text-anchor": "end" }, format(limit * part)));
    }
    picture.append(svg("line", { class: "axis", x1: CHART.left, x2: width - CHART.right, y1: y(0), y2: y(0) }));
    days.forEach((day, place) => {
      const x = CHART.left + slot * place + (slot - thick) / 2;
      let from = 0;
      const group = svg("g", { class: partial[place] ? "day partial" : "day" });
      for (const layer of layers) {
        const value = layer.values[place];
        if (value > 0) {
          const high = Math.max((value / limit) * inner.height, 1);
          group.append(svg("rect", { class: layer.kind, x, y: y(from) - high, width: thick, height: high }));
        }
        from += value;
      }
      group.append(svg("rect", {
        class: "reach", x: CHART.left + slot * place, y: CHART.top, width: slot, height: inner.height,
        onpointerenter: () => { readout.textContent = words(place); }, onpointerleave: rest,
      }));
      picture.append(group);
    });
    const every = Math.max(1, Math.ceil(days.length / Math.max(2, Math.floor(inner.width / 90))));
    for (let place = 0; place < days.length; place += every) {
      const x = CHART.left + slot * place + slot / 2;
      const anchor = place === 0 && slot < 60 ? "start" : "middle";
      if (place + every / 2 < days.length || place === 0) {
        picture.append(svg("text", { class: "tick", x: anchor === "start" ? CHART.left : x, y: CHART.height - 6, "text-anchor": anchor }, days[place].slice(5)));
      }
    }
    return picture;
  };
  return el("figure", { class: "trend" },
    el("figcaption", {}, el("span", {}, title), el("strong", {}, total)),
    responsive(draw), readout,
    details("As a table", () => list({
      caption: `${title} by day`,
      columns: [
        { title: "Day (UTC)", value: (place) => days[place], cell: (place) => days[place] + (partial[place] ? " (partial)" : "") },
        ...layers.map((layer) => ({
          title: layers.length === 1 ? title : layer.name, number: true,
          value: (place) => layer.values[place], cell: (place) => format(layer.values[place]),
        })),
      ],
      rows: days.map((_, place) => days.length - 1 - place), step: 31,
    })));
};

const legend = (entries) => el("p", { class: "legend" },
  entries.map(([kind, words]) => el("span", {}, el("i", { class: `key ${kind}`, "aria-hidden": "true" }), words)));

// A row of 24 hours for each workgroup; the stronger, the more.
const hourChart = (hours) => {
  const rows = hours.workgroup.slice(0, 15);
  const most = Math.max(1, ...hours.counts.flat());
  const high = 26;
  const draw = (width) => {
    const left = Math.min(190, width * 0.34);
    const slot = (width - left) / 24;
    const picture = svg("svg", {
      viewBox: `0 0 ${width} ${rows.length * high + 24}`, role: "img",
      "aria-label": "Queries by workgroup and hour of the day in UTC. The same numbers are in the next table.",
    });
    rows.forEach((name, row) => {
      const letters = Math.max(6, Math.floor(left / 7.2));
      picture.append(svg("text", { class: "label", x: 0, y: row * high + 17 }, name.length > letters ? `${name.slice(0, letters - 1)}…` : name));
      hours.counts[row].forEach((value, hour) => {
        const cell = svg("rect", { class: "heat", x: left + hour * slot + 1, y: row * high + 2, width: Math.max(1, slot - 2), height: high - 4, rx: 2 },
          svg("title", {}, `${name}, ${String(hour).padStart(2, "0")}:00 to ${String((hour + 1) % 24).padStart(2, "0")}:00: ${plural(value, "query", "queries")}`));
        cell.style.setProperty("--strength", value ? 0.12 + 0.88 * Math.sqrt(value / most) : 0);
        picture.append(cell);
      });
    });
    for (let hour = 0; hour < 24; hour += width < 600 ? 6 : 3) {
      picture.append(svg("text", { class: "tick", x: left + hour * slot + 1, y: rows.length * high + 18 }, `${String(hour).padStart(2, "0")}:00`));
    }
    return picture;
  };
  const sums = hours.counts.map((counts) => counts.reduce((a, b) => a + b, 0));
  return el("figure", {},
    el("figcaption", {}, `Queries by hour of the day, UTC${hours.workgroup.length > rows.length ? `; the busiest ${rows.length} of ${count(hours.workgroup.length)} workgroups` : ""}`),
    responsive(draw),
    legend([["heat0", "none"], ["heat1", "few"], ["heat2", `${count(most)} in an hour of the day`]]),
    details("As a table", () => list({
      caption: "Queries by workgroup and hour of the day",
      columns: [
        { title: "Workgroup", value: (row) => hours.workgroup[row], cell: (row) => named(hours.workgroup[row]) },
        { title: "Queries", number: true, value: (row) => sums[row], cell: (row) => count(sums[row]) },
        { title: "By hour, from 00:00", wide: true, cell: (row) => hours.counts[row].map(count).join(" · ") },
      ],
      rows: hours.workgroup.map((_, row) => row),
    })));
};
