"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const readJson = (id) => JSON.parse(byId(id).textContent);
  const count = (value) => value.toLocaleString("en-US");

  const root = document.documentElement;
  const themeButton = byId("theme");
  const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : prefersDark.matches);
  const nameTheme = () => {
    themeButton.textContent = isDark() ? "Light theme" : "Dark theme";
  };
  themeButton.hidden = false;
  themeButton.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    nameTheme();
  });
  prefersDark.addEventListener("change", nameTheme);
  nameTheme();

  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.value === undefined ? cell.textContent.trim() : Number(cell.dataset.value);
  };
  const sortBy = (table, header, column) => {
    const isFirst = header.getAttribute("aria-sort") === "none";
    const goesDown = isFirst
      ? header.classList.contains("n")
      : header.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) {
      if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
    }
    header.setAttribute("aria-sort", goesDown ? "descending" : "ascending");
    const rows = [...table.tBodies[0].rows];
    rows.sort((a, b) => {
      const order = compare(valueOf(a, column), valueOf(b, column));
      return goesDown ? -order : order;
    });
    table.tBodies[0].append(...rows);
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((header, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...header.childNodes);
      header.append(button);
      header.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => sortBy(table, header, column));
    });
  }

  const draw = async (id, spec) => {
    const box = byId(`${id}-chart`);
    const result = await vegaEmbed(box, spec, {
      actions: false,
      // Expressions are interpreted, so the page may forbid eval; nothing is styled but by us.
      ast: true,
      defaultStyle: false,
      renderer: "svg",
      mode: "vega-lite",
      tooltip: { disableDefaultStyle: true, maxDepth: 1 },
    });
    // The box is named in words and the numbers stand in a table: one image, not a thousand marks.
    box.querySelector("svg").setAttribute("aria-hidden", "true");
    return result;
  };
  const charts = readJson("charts");
  const drawn = Object.keys(charts)
    .filter((id) => id !== "lineage" && byId(`${id}-chart`))
    .map((id) => draw(id, charts[id]));

  const SHOWN = 50;
  const SHOWN_ROWS = 200;
  const PER_LEVEL = 25;
  const ROW_PX = 26;

  const unpack = async (text) => {
    const bytes = Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  };
  const element = (tag, text, attributes = {}) => {
    const made = document.createElement(tag);
    if (text !== "") made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };

  class Lineage {
    constructor(index) {
      this.index = index;
      this.down = this.#grouped(index.sources);
      this.up = this.#grouped(index.targets);
      this.searched = index.tables.map((_, place) => this.full(place).toLowerCase());
    }

    #grouped(ends) {
      const edges = new Map();
      ends.forEach((place, edge) => {
        if (edges.has(place)) edges.get(place).push(edge);
        else edges.set(place, [edge]);
      });
      return edges;
    }

    scope(place) {
      return this.index.scopes[this.index.table_scopes[place]].filter(Boolean).join(".");
    }

    full(place) {
      const scope = this.scope(place);
      return scope ? `${scope}.${this.index.tables[place]}` : this.index.tables[place];
    }

    search(typed) {
      const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
      const found = [];
      let total = 0;
      this.searched.forEach((text, place) => {
        if (!words.every((word) => text.includes(word))) return;
        total += 1;
        if (found.length < SHOWN) found.push(place);
      });
      return { found, total };
    }

    // Breadth first, so that each table stands at its shortest distance.
    walk(start, edgesOf, otherEnd, levels) {
      const distance = new Map([[start, 0]]);
      const flows = [];
      let border = [start];
      for (let level = 1; level <= levels && border.length; level += 1) {
        const next = [];
        for (const place of border) {
          for (const edge of edgesOf.get(place) || []) {
            flows.push({ edge, level });
            const other = otherEnd[edge];
            if (!distance.has(other)) {
              distance.set(other, level);
              next.push(other);
            }
          }
        }
        border = next;
      }
      distance.delete(start);
      return { distance, flows };
    }

    columns(edge) {
      const { pairs, columns, counts } = this.index;
      const told = [];
      for (let i = 0; i < pairs[edge].length; i += 2) {
        told.push(`${columns[pairs[edge][i]]} → ${columns[pairs[edge][i + 1]] || "?"}`);
      }
      const more = counts[edge] - told.length;
      if (!counts[edge]) return "columns not known";
      if (!told.length) return `${count(counts[edge])} columns`;
      return told.join(", ") + (more > 0 ? `, and ${count(more)} more` : "");
    }
  }

  const picture = (lineage, start, up, down) => {
    const nodes = [];
    const positions = new Map();
    const put = (place, level, row, rows, side) => {
      const node = {
        place, side, x: level, y: row - (rows - 1) / 2,
        label: lineage.index.tables[place], full: lineage.full(place),
      };
      // A table that feeds the chosen one and is fed by it stands on both sides.
      positions.set(`${side}${place}`, node);
      nodes.push(node);
    };
    put(start, 0, 0, 1, "chosen");
    let most = 1;
    for (const [walked, sign, side] of [[up, -1, "upstream"], [down, 1, "downstream"]]) {
      const levels = new Map();
      for (const [place, level] of walked.distance) {
        if (!levels.has(level)) levels.set(level, []);
        levels.get(level).push(place);
      }
      for (const [level, places] of levels) {
        const shown = places.slice(0, PER_LEVEL);
        most = Math.max(most, shown.length);
        shown.forEach((place, row) => put(place, sign * level, row, shown.length, side));
      }
    }
    const flows = [];
    for (const [walked, side] of [[up, "upstream"], [down, "downstream"]]) {
      for (const { edge } of walked.flows) {
        const find = (place) =>
          place === start ? positions.get(`chosen${start}`) : positions.get(`${side}${place}`);
        const source = find(lineage.index.sources[edge]);
        const target = find(lineage.index.targets[edge]);
        if (!source || !target || source === target) continue;
        flows.push({
          x: source.x, y: source.y, x2: target.x, y2: target.y,
          source: source.full, target: target.full,
          kinds: lineage.index.kinds[lineage.index.edge_kinds[edge]],
          columns: lineage.columns(edge),
        });
      }
    }
    const levels = nodes.map((node) => node.x);
    return { nodes, flows, most, least: Math.min(...levels), largest: Math.max(...levels) };
  };

  const startLineage = async () => {
    const status = byId("lineage-status");
    if (typeof DecompressionStream === "undefined") {
      status.textContent = "This browser is too old to look up lineage; the tables above are complete.";
      return;
    }
    const lineage = new Lineage(await unpack(byId("lineage-index").textContent));
    const input = byId("lineage-input");
    const list = byId("lineage-list");
    const depth = byId("lineage-depth");
    let chosen = null;
    let options = [];
    let active = -1;

    const close = () => {
      list.hidden = true;
      active = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    };
    const mark = (index) => {
      if (list.children[active]) list.children[active].setAttribute("aria-selected", "false");
      active = (index + options.length) % options.length;
      const option = list.children[active];
      option.setAttribute("aria-selected", "true");
      option.scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", option.id);
    };
    const offer = () => {
      const { found, total } = lineage.search(input.value);
      options = found;
      active = -1;
      list.replaceChildren(
        ...found.map((place, index) => {
          const option = element("li", "", { role: "option", id: `option-${index}`, "aria-selected": "false" });
          option.append(
            element("bdi", lineage.index.tables[place]), " ",
            element("small", lineage.scope(place)),
          );
          option.addEventListener("mousedown", (event) => {
            event.preventDefault();
            choose(place);
          });
          return option;
        }),
      );
      list.hidden = !found.length;
      input.setAttribute("aria-expanded", String(found.length > 0));
      input.removeAttribute("aria-activedescendant");
      byId("lineage-found").textContent = total
        ? `${count(total)} ${total === 1 ? "table matches" : "tables match"}` +
          (total > found.length ? `, the first ${found.length} are shown` : "")
        : "No table has these letters in its name.";
    };

    const rows = (body, flows) => {
      body.replaceChildren(
        ...flows.slice(0, SHOWN_ROWS).map(({ edge, level }) => {
          const row = document.createElement("tr");
          row.append(element("td", String(level), { class: "n" }));
          for (const place of [lineage.index.sources[edge], lineage.index.targets[edge]]) {
            const cell = document.createElement("td");
            const button = element("button", "", { type: "button", class: "link" });
            button.append(element("bdi", lineage.index.tables[place]));
            button.addEventListener("click", () => {
              choose(place);
              byId("lineage-title").focus();
            });
            cell.append(button, element("bdi", lineage.scope(place), { class: "scope" }));
            row.append(cell);
          }
          const kinds = lineage.index.kinds[lineage.index.edge_kinds[edge]];
          row.append(element("td", kinds, { class: "s" }));
          row.append(element("td", lineage.columns(edge)));
          return row;
        }),
      );
    };

    const show = async () => {
      const levels = Number(depth.value);
      const { sources, targets } = lineage.index;
      const up = lineage.walk(chosen, lineage.up, sources, levels);
      const down = lineage.walk(chosen, lineage.down, targets, levels);
      const word = (number) => `${count(number)} ${number === 1 ? "table" : "tables"}`;
      byId("lineage-title").replaceChildren(element("bdi", lineage.full(chosen)));
      const isAlone = !up.flows.length && !down.flows.length;
      status.textContent = isAlone
        ? "No flow into or out of this table is known from this run."
        : `Fed by ${word(up.distance.size)}, feeds ${word(down.distance.size)}, ` +
          `within ${levels} ${levels === 1 ? "step" : "steps"}.`;
      for (const [side, walked] of [["up", up], ["down", down]]) {
        rows(byId(`lineage-${side}`).tBodies[0], walked.flows);
        byId(`lineage-${side}-part`).hidden = !walked.flows.length;
        byId(`lineage-${side}-more`).textContent =
          walked.flows.length > SHOWN_ROWS
            ? `The first ${SHOWN_ROWS} of ${count(walked.flows.length)} flows are shown.`
            : "";
      }
      byId("lineage-figure").hidden = isAlone;
      if (isAlone) return;

      const drawing = picture(lineage, chosen, up, down);
      const spec = structuredClone(charts.lineage);
      spec.datasets = { nodes: drawing.nodes, flows: drawing.flows };
      spec.height = Math.max(2, drawing.most) * ROW_PX;
      for (const layer of spec.layer) {
        // Room for the name of the last level, which stands right of its point.
        layer.encoding.x.scale.domain = [drawing.least, drawing.largest + 0.9];
        const half = Math.max(2, drawing.most) / 2;
        layer.encoding.y.scale.domain = [-half, half];
      }
      const { view } = await draw("lineage", spec);
      view.addEventListener("click", (_, item) => {
        if (item && item.datum && item.datum.place !== undefined) choose(item.datum.place);
      });
    };
    const choose = (place) => {
      chosen = place;
      input.value = lineage.full(place);
      close();
      byId("lineage-found").textContent = "";
      return show();
    };

    input.addEventListener("input", offer);
    input.addEventListener("focus", () => input.select());
    input.addEventListener("blur", close);
    input.addEventListener("keydown", (event) => {
      if (event.key === "Escape") close();
      else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        if (list.hidden) offer();
        if (!options.length) return;
        const step = event.key === "ArrowDown" ? 1 : -1;
        mark(active < 0 && step < 0 ? options.length - 1 : active + step);
      } else if (event.key === "Enter" && !list.hidden && options.length) {
        choose(options[Math.max(active, 0)]);
      } else return;
      event.preventDefault();
    });
    depth.addEventListener("change", () => {
      if (chosen !== null) show();
    });
    byId("lineage-tool").hidden = false;
    const first = input.dataset.first;
    if (first !== "") await choose(Number(first));
  };

  const isReady = byId("lineage-index") ? startLineage() : Promise.resolve();
  Promise.all([...drawn, isReady]).then(() => {
    root.dataset.ready = "true";
  });
})();
