// The whole estate: schemas, and the flows between them.

const MAX_SCHEMAS = 40;

const schemaFlows = (tables, edges) => {
  const found = new Map();
  for (let edge = 0; edge < edges.count; edge += 1) {
    const from = tables.rows.scope[edges.sources[edge]];
    const to = tables.rows.scope[edges.targets[edge]];
    const key = from * tables.scopes.length + to;
    if (!found.has(key)) found.set(key, { from, to, flows: 0, direct: 0, edges: [] });
    const flow = found.get(key);
    flow.flows += 1;
    flow.direct += edges.rows.direct[edge];
    flow.edges.push(edge);
  }
  return [...found.values()].sort((a, b) => b.flows - a.flows);
};

// The column of each schema: one more than that of what feeds it; what closes a circle does not count.
const columnsOf = (flows) => {
  const into = new Map();
  const nodes = new Set();
  for (const { from, to } of flows) {
    nodes.add(from); nodes.add(to);
    if (from !== to) into.set(to, [...(into.get(to) || []), from]);
  }
  const column = new Map();
  const visit = (node, open) => {
    if (column.has(node)) return column.get(node);
    if (open.has(node)) return -1;
    open.add(node);
    const value = Math.min(6, 1 + Math.max(-1, ...(into.get(node) || []).map((other) => visit(other, open))));
    open.delete(node);
    column.set(node, value);
    return value;
  };
  nodes.forEach((node) => visit(node, new Set()));
  return column;
};

const lineageView = async (site, params) => {
  const [head, tables, edges] = await Promise.all([site.head(), site.tables(), site.edges()]);
  if (!edges.count) return [el("h1", {}, "Lineage"), note("No flow of data between tables is known.")];
  const all = schemaFlows(tables, edges);
  const nameOf = (scope) => tables.scopes[scope] || "S3 locations";
  const wanted = [params.get("from"), params.get("to")];
  if (wanted[0] && wanted[1]) {
    const flow = all.find((each) => nameOf(each.from) === wanted[0] && nameOf(each.to) === wanted[1]);
    return [
      el("p", { class: "crumb" }, link(hrefTo(site, { view: "lineage" }), "Lineage by schema")),
      el("h1", {}, named(wanted[0]), " → ", named(wanted[1])),
      flow ? flowList(site, tables, edges, "Flows from table to table", flow.edges.map((edge) => ({ edge, level: 1 }))) : note("No flow is known."),
    ];
  }
  const between = all.filter((flow) => flow.from !== flow.to);
  const weight = new Map();
  for (const flow of between) {
    weight.set(flow.from, (weight.get(flow.from) || 0) + flow.flows);
    weight.set(flow.to, (weight.get(flow.to) || 0) + flow.flows);
  }
  const chosen = new Set([...weight.entries()].sort((a, b) => b[1] - a[1]).slice(0, MAX_SCHEMAS).map(([scope]) => scope));
  const shown = between.filter((flow) => chosen.has(flow.from) && chosen.has(flow.to));
  const column = columnsOf(shown);
  const inside = new Map(all.filter((flow) => flow.from === flow.to).map((flow) => [flow.from, flow.flows]));
  const most = Math.max(1, ...shown.map((flow) => flow.flows));
  const href = (flow) => hrefTo(site, { view: "lineage", from: nameOf(flow.from), to: nameOf(flow.to) });
  const cut = head.lineage.count - head.lineage.shown;
  return [
    el("h1", {}, "Lineage by schema"),
    el("p", { class: "under" }, `${plural(head.lineage.count, "flow")} between tables, from the views' texts and from queries that wrote; ${plural(weight.size, "schema")} with flows to others.`),
    cut > 0 ? note(`The page has the ${count(head.lineage.shown)} flows of most columns; the linkages extract has all.`) : null,
    shown.length ? el("section", { class: "panel", "aria-label": "Flows between schemas" },
      diagram({
        label: "Flows between schemas, sources left, targets right",
        nodes: [...chosen].filter((scope) => column.has(scope)).map((scope) => ({
          id: scope, column: column.get(scope), title: nameOf(scope).split(".").pop(), full: nameOf(scope), kind: tables.scopes[scope] ? "schema" : "place",
          sub: inside.get(scope) ? `${plural(inside.get(scope), "flow")} inside` : nameOf(scope).split(".").slice(0, -1).join("."),
          href: tables.scopes[scope] ? hrefTo(site, { view: "tables", schema: nameOf(scope) }) : null,
        })),
        arrows: shown.map((flow) => ({
          from: flow.from, to: flow.to, dashed: !flow.direct, weight: 1 + 5 * Math.sqrt(flow.flows / most), label: count(flow.flows),
          words: `${nameOf(flow.from)} → ${nameOf(flow.to)}: ${plural(flow.flows, "flow")}`,
        })),
      }),
      legend([["schema", "schema; choose one to see its tables"], ["place", "S3 locations"], ["flowkey", "the thicker, the more flows; the number says how many"], ["flowkey dashed", "filters, joins or sorts only"]]),
      weight.size > chosen.size ? note(`The ${MAX_SCHEMAS} schemas of most flows are drawn; the list has all.`) : null,
    ) : note("All flows stay inside their schema."),
    el("section", { class: "panel", "aria-label": "Flows by schema" }, list({
      caption: "Flows by schema",
      columns: [
        { title: "From", value: (flow) => nameOf(flow.from), cell: (flow) => named(nameOf(flow.from)) },
        { title: "To", value: (flow) => nameOf(flow.to), cell: (flow) => named(nameOf(flow.to)) },
        { title: "Flows", number: true, bar: true, value: (flow) => flow.flows, cell: (flow) => link(href(flow), count(flow.flows)) },
        { title: "Of values", number: true, value: (flow) => flow.direct, cell: (flow) => count(flow.direct) },
      ],
      rows: all, step: 50, sorted: "Flows",
    })),
  ];
};
