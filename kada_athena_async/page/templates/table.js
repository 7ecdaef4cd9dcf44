// A table: its columns, who uses it, where its data comes from and goes to.

// Breadth first, so that each table stands at its shortest distance.
// Masked locations are all alike: what one feeds need not come from what fills another.
const walk = (start, edgesOf, otherEnd, levels, isDeadEnd) => {
  const distance = new Map([[start, 0]]);
  const flows = [];
  let border = [start];
  for (let level = 1; level <= levels && border.length; level += 1) {
    const next = [];
    for (const place of border) {
      for (const edge of edgesOf.get(place) || []) {
        if (otherEnd[edge] === place) continue;
        flows.push({ edge, level });
        if (!distance.has(otherEnd[edge])) {
          distance.set(otherEnd[edge], level);
          if (!isDeadEnd(otherEnd[edge])) next.push(otherEnd[edge]);
        }
      }
    }
    border = next;
  }
  distance.delete(start);
  return { distance, flows };
};

const PER_LEVEL = 12;

const isMasked = (tables, place) => tables.rows.kind[place] === 2 && tables.rows.name[place].includes("?");

const neighbourhood = (site, tables, edges, start, levels) => {
  const stops = (place) => isMasked(tables, place);
  const up = walk(start, edges.up, edges.sources, levels, stops);
  const down = walk(start, edges.down, edges.targets, levels, stops);
  const node = (place, id, column) => ({
    id, column, title: tables.rows.name[place], sub: isMasked(tables, place) ? "locations, masked" : tables.scope(place), full: tables.full(place),
    kind: ["table", "view", "place"][tables.rows.kind[place]], chosen: place === start,
    href: place === start ? null : hrefTo(site, { table: tables.full(place) }),
  });
  const nodes = [node(start, "c", 0)];
  const drawn = new Map();
  let hidden = 0;
  for (const [walked, sign] of [[up, -1], [down, 1]]) {
    const perLevel = new Map();
    for (const [place, level] of walked.distance) {
      const already = perLevel.get(level) || 0;
      perLevel.set(level, already + 1);
      if (already < PER_LEVEL) {
        drawn.set(`${sign}${place}`, true);
        nodes.push(node(place, `${sign}${place}`, sign * level));
      } else hidden += 1;
    }
  }
  const arrows = [];
  for (const [walked, sign] of [[up, -1], [down, 1]]) {
    for (const { edge } of walked.flows) {
      const id = (place) => (place === start ? "c" : `${sign}${place}`);
      const [from, to] = [edges.sources[edge], edges.targets[edge]];
      if ((from === start || drawn.has(id(from))) && (to === start || drawn.has(id(to)))) {
        arrows.push({ from: id(from), to: id(to), dashed: !edges.rows.direct[edge], words: `${tables.full(from)} → ${tables.full(to)}: ${edges.kind(edge)}` });
      }
    }
  }
  return { up, down, nodes, arrows, hidden };
};

const flowList = (site, tables, edges, caption, flows) => list({
  caption,
  columns: [
    { title: "From", value: ({ edge }) => tables.full(edges.sources[edge]), cell: ({ edge }) => tableLink(site, tables, edges.sources[edge]) },
    { title: "To", value: ({ edge }) => tables.full(edges.targets[edge]), cell: ({ edge }) => tableLink(site, tables, edges.targets[edge]) },
    { title: "By", value: ({ edge }) => edges.kind(edge) },
    { title: "Step", number: true, value: ({ level }) => level, cell: ({ level }) => String(level) },
    { title: "Columns", number: true, value: ({ edge }) => edges.rows.pairs[edge], cell: ({ edge }) => (edges.rows.pairs[edge] ? count(edges.rows.pairs[edge]) : NONE) },
    { title: "Last seen", value: ({ edge }) => edges.rows.lastAt[edge], cell: ({ edge }) => edges.rows.lastAt[edge] || "in the view's text" },
  ],
  rows: flows, step: 25,
});

const KEY = [["table", "table"], ["view", "view"], ["place", "S3 location"], ["flowkey", "values flow"], ["flowkey dashed", "filters, joins or sorts only"]];

const lineagePart = (site, tables, edges, start, levels = 2) => {
  const { up, down, nodes, arrows, hidden } = neighbourhood(site, tables, edges, start, levels);
  const box = el("div", { class: "lineage" });
  if (!up.flows.length && !down.flows.length) {
    box.append(note("No flow into or out of this table is known."));
    return box;
  }
  const steps = el("select", { id: "steps", onchange: (event) => {
    box.replaceWith(lineagePart(site, tables, edges, start, Number(event.target.value)));
    byId("steps").focus();
  } }, [1, 2, 3, 5].map((number) => el("option", number === levels ? { selected: true } : {}, String(number))));
  box.append(
    el("p", {}, `Fed by ${count(up.distance.size)}, feeds ${count(down.distance.size)}, within this many `, el("label", { for: "steps" }, "steps: "), steps),
    diagram({ label: `Lineage of ${tables.full(start)}, sources left, targets right`, nodes, arrows }),
    legend(KEY),
    hidden ? note(`${plural(hidden, "table")} of steps with more than ${PER_LEVEL} are not drawn; the lists have all.`) : "",
    up.flows.length ? flowList(site, tables, edges, "What feeds it", up.flows) : "",
    down.flows.length ? flowList(site, tables, edges, "What it feeds", down.flows) : "");
  return box;
};

// Column name -> what it comes from, or goes to: [{place, name}].
const columnFlows = (edges, pairs, place) => {
  const from = new Map();
  const to = new Map();
  if (!pairs) return { from, to };
  const note_ = (map, column, other, name) => {
    const key = column.toLowerCase();
    if (!map.has(key)) map.set(key, []);
    map.get(key).push({ place: other, name });
  };
  const look = (list_, map, mine, otherEnd) => {
    for (const edge of list_ || []) {
      const flat = pairs.pairs[edge];
      for (let at = 0; at < flat.length; at += 2) {
        const names = [pairs.names[flat[at]], pairs.names[flat[at + 1]]];
        note_(map, names[mine], otherEnd[edge], names[1 - mine]);
      }
    }
  };
  look(edges.up.get(place), from, 1, edges.sources);
  look(edges.down.get(place), to, 0, edges.targets);
  return { from, to };
};

const flowsCell = (site, tables, flows) => {
  if (!flows) return NONE;
  const item = ({ place, name }) => el("li", {}, link(hrefTo(site, { table: tables.full(place) }), named(tables.rows.name[place])), name ? [".", named(name)] : null);
  const first = flows.slice(0, 4).map(item);
  return el("ul", { class: "plain" }, first, flows.length > 4 ? el("li", {}, details(`${count(flows.length - 4)} more`, () => el("ul", { class: "plain" }, flows.slice(4).map(item)))) : null);
};

const columnsPart = (site, head, tables, edges, pairs, place, found) => {
  const names = found.names || [];
  const total = tables.rows.columns[place];
  const { from, to } = columnFlows(edges, pairs, place);
  const tags = new Map();
  for (const [column, tag] of found.tags || []) {
    if (column) tags.set(column.toLowerCase(), [...(tags.get(column.toLowerCase()) || []), tag]);
  }
  const keys = new Set(found.keyPlaces || []);
  const has = (map) => names.some((name) => map.has(name.toLowerCase()));
  const comments = found.comments || {};
  return panel(`Columns (${count(total)})`,
    names.length < total ? note(names.length ? `The first ${count(names.length)} of ${count(total)}: the page has room for no more; the extract has all.` : "The page has no room for columns; the extract has them.") : null,
    list({
      columns: [
        { title: "Column", value: (at) => names[at].toLowerCase(), cell: (at) => [named(names[at]), keys.has(at) ? el("small", { class: "badge" }, "partition key") : null] },
        { title: "Type", value: (at) => found.types[found.kinds[at]], cell: (at) => el("code", {}, named(found.types[found.kinds[at]])) },
        ...(Object.keys(comments).length ? [{ title: "Comment", wide: true, value: (at) => comments[at] || "", cell: (at) => (comments[at] ? named(comments[at]) : NONE) }] : []),
        ...(tags.size ? [{ title: "Tags", value: (at) => (tags.get(names[at].toLowerCase()) || []).join(", "), cell: (at) => named((tags.get(names[at].toLowerCase()) || []).join(", ")) }] : []),
        ...(has(from) ? [{ title: "Comes from", cell: (at) => flowsCell(site, tables, from.get(names[at].toLowerCase())) }] : []),
        ...(has(to) ? [{ title: "Goes to", cell: (at) => flowsCell(site, tables, to.get(names[at].toLowerCase())) }] : []),
      ],
      rows: names.map((_, at) => at), step: 100, empty: "No columns are known.",
    }));
};

const usersList = (users, title) => list({
  caption: title,
  columns: [
    { title: "User", value: (row) => row[0], cell: (row) => named(row[0]) },
    ...((users || []).some((row) => row[3]) ? [{ title: "Tool", value: (row) => row[3], cell: (row) => (row[3] ? named(row[3]) : NONE) }] : []),
    { title: "Queries", number: true, bar: true, value: (row) => row[1], cell: (row) => count(row[1]) },
    { title: "Last", value: (row) => row[2], cell: (row) => row[2] || NONE },
  ],
  rows: users || [], step: 10, empty: `${title}: no one in this time.`,
});

const tableTrend = (head, found) => {
  const all = head.history.days;
  if (!found.days || !all.day.length) return null;
  const at = new Map(all.day.map((day, place) => [day, place]));
  const reads = all.day.map(() => 0);
  const writes = all.day.map(() => 0);
  for (const [day, read, write] of found.days) {
    if (at.has(day)) [reads[at.get(day)], writes[at.get(day)]] = [read, write];
  }
  const sum = (values) => values.reduce((a, b) => a + b, 0);
  return [dayChart({ title: "Reads and writes", total: `${count(sum(reads))} and ${count(sum(writes))}`, days: all.day, partial: all.partial, format: count,
    layers: [{ name: "reads", kind: "s1", values: reads }, { name: "writes", kind: "s4", values: writes }] }),
  legend([["s1", "reads"], ["s4", "writes"], ["partial", "partial day"]])];
};

const tableView = async (site, params) => {
  const [head, tables, edges] = await Promise.all([site.head(), site.tables(), site.edges()]);
  const place = tables.find(params.get("table"));
  if (place === undefined) {
    return [el("h1", {}, "No such table: ", named(params.get("table"))), el("p", {}, link(hrefTo(site, { search: params.get("table").split(".").pop() }), "Search for it"))];
  }
  const [known, pairs] = await Promise.all([site.details(place), site.pairs()]);
  const found = known || { types: [] };
  const { rows } = tables;
  const advised = head.advice.findings.filter((finding) => finding.subject.toLowerCase() === tables.full(place).toLowerCase());
  const tags = (found.tags || []).filter(([column]) => !column).map(([, tag]) => tag);
  return [
    el("p", { class: "crumb" }, link(hrefTo(site, { view: "tables", schema: tables.scope(place) }), named(tables.scope(place)))),
    el("h1", {}, named(rows.name[place])),
    found.comment ? el("p", { class: "under" }, named(found.comment)) : null,
    tiles([
      [count(rows.reads[place]), "reads", rows.readAt[place] ? `last ${rows.readAt[place].slice(0, 16)}` : null],
      [count(rows.writes[place]), "writes", rows.writtenAt[place] ? `last ${rows.writtenAt[place].slice(0, 16)}` : null],
      [count(rows.users[place]), "users"],
      [size(rows.scanned[place]), "scanned", "its share of each query"],
      [size(rows.size[place]), "size", found.statsAt ? `${found.statsSource || "statistics"} of ${found.statsAt}` : null],
      [count(rows.rows[place]), "rows"],
    ]),
    rows.unused[place] ? el("p", { class: "alerts" }, "No query used it in this time, not even through a view; CREATE VIEW, OPTIMIZE and VACUUM do not count.") : null,
    facts([
      ["Kind", tables.kind(place)], ["Format", formatOf(tables, place)], ["Partitioned by", found.keys && named(found.keys)],
      ["Location", found.location && named(found.location.join(rows.name[place]))], ["Owner", found.owner && named(found.owner)],
      ["Created", found.created], ["Changed", found.updated], ["Files", rows.files[place] === null ? "" : count(rows.files[place])],
      ["Failed queries", rows.failed[place] ? count(rows.failed[place]) : ""], ["Tags", tags.length ? named(tags.join(", ")) : ""],
    ]),
    advised.length ? panel("Advice", adviceList(site, head, tables, advised)) : null,
    panel("Lineage", lineagePart(site, tables, edges, place)),
    columnsPart(site, head, tables, edges, pairs, place, found),
    panel("Use", tableTrend(head, found), el("div", { class: "two" }, usersList(found.readers, "Read by"), usersList(found.writers, "Written by"))),
    found.view ? panel("Text of the view, masked", el("pre", { tabindex: "0" }, named(found.view))) : null,
  ];
};
