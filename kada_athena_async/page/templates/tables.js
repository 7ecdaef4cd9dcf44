// All tables, and what a search finds.

const formatOf = (tables, place) => clip(tables.formats[tables.rows.format[place]] || "", 24) || NONE;

const tableColumns = (site, tables) => [
  { title: "Table", value: (place) => tables.full(place), cell: (place) => tableLink(site, tables, place) },
  { title: "Kind", value: (place) => tables.kind(place), cell: (place) => (formatOf(tables, place) === NONE ? tables.kind(place) : `${tables.kind(place)}, ${formatOf(tables, place)}`) },
  { title: "Columns", number: true, value: (place) => tables.rows.columns[place], cell: (place) => count(tables.rows.columns[place]) },
  { title: "Size", number: true, value: (place) => tables.rows.size[place], cell: (place) => size(tables.rows.size[place]) },
  { title: "Rows", number: true, value: (place) => tables.rows.rows[place], cell: (place) => count(tables.rows.rows[place]) },
  { title: "Reads", number: true, bar: true, value: (place) => tables.rows.reads[place], cell: (place) => count(tables.rows.reads[place]) },
  { title: "Writes", number: true, value: (place) => tables.rows.writes[place], cell: (place) => count(tables.rows.writes[place]) },
  { title: "Users", number: true, value: (place) => tables.rows.users[place], cell: (place) => count(tables.rows.users[place]) },
  { title: "Last read", value: (place) => tables.rows.readAt[place].slice(0, 10), cell: (place) => tables.rows.readAt[place].slice(0, 10) || NONE },
];

const schemaRows = (tables) => tables.scopes.map((name, scope) => ({ name: name || "S3 locations", scope, tables: 0, views: 0, columns: 0, size: null, reads: 0, writes: 0, unused: 0 }));

const bySchema = (tables) => {
  const found = schemaRows(tables);
  const { rows } = tables;
  for (let place = 0; place < tables.count; place += 1) {
    const row = found[rows.scope[place]];
    if (!rows.known[place]) continue;
    if (rows.kind[place] === 1) row.views += 1;
    else row.tables += 1;
    row.columns += rows.columns[place];
    if (rows.size[place] !== null) row.size = (row.size || 0) + rows.size[place];
    row.reads += rows.reads[place];
    row.writes += rows.writes[place];
    row.unused += rows.unused[place];
  }
  return found.filter((row) => row.tables || row.views).sort((a, b) => b.tables + b.views - a.tables - a.views || compare(a.name, b.name));
};

const tablesView = async (site, params) => {
  const [head, tables] = await Promise.all([site.head(), site.tables()]);
  const schema = params.get("schema");
  const wanted = schema ? (place) => tables.scope(place) === schema : () => true;
  const isUnused = params.get("show") === "unused";
  const places = (isUnused ? unusedPlaces(tables) : [...usedPlaces(tables), ...tables.places((place) => !tables.rows.reads[place] && !tables.rows.writes[place])]).filter(wanted);
  const left = head.estate.tables + head.estate.views - tables.rows.known.reduce((sum, known) => sum + known, 0);
  const title = isUnused ? "Unused tables" : "Tables";
  const usd = storage(head, places.reduce((sum, place) => sum + (tables.rows.size[place] || 0), 0));
  return [
    el("h1", {}, title, schema ? [" of ", named(schema)] : null),
    isUnused ? note(unusedRemark(head), ` Their storage costs about ${money(usd)} a month.`) : null,
    left > 0 ? note(`The page names ${count(tables.count)} tables, those that are used or linked first; ${count(left)} are left out. The extracts have all.`) : null,
    schema || isUnused ? el("p", {}, link(hrefTo(site, { view: "tables" }), "All tables"), schema && !isUnused ? [" · ", link(hrefTo(site, { view: "tables", schema, show: "unused" }), "Only the unused ones")] : null)
      : el("p", {}, link(hrefTo(site, { view: "tables", show: "unused" }), "Only the unused ones")),
    el("section", { class: "panel", "aria-label": title }, isUnused ? list({ columns: unusedColumns(site, head, tables), rows: places, step: 100, empty: "Every table was used.", sorted: "Size" })
      : list({ columns: tableColumns(site, tables), rows: places, step: 100, empty: "No tables.", sorted: "Reads" })),
    isUnused || schema ? null : panel("By schema", list({
      columns: [
        { title: "Schema", value: (row) => row.name, cell: (row) => link(hrefTo(site, { view: "tables", schema: row.name }), named(row.name)) },
        { title: "Tables", number: true, bar: true, value: (row) => row.tables, cell: (row) => count(row.tables) },
        { title: "Views", number: true, value: (row) => row.views, cell: (row) => count(row.views) },
        { title: "Columns", number: true, value: (row) => row.columns, cell: (row) => count(row.columns) },
        { title: "Size", number: true, value: (row) => row.size, cell: (row) => size(row.size) },
        { title: "Reads", number: true, value: (row) => row.reads, cell: (row) => count(row.reads) },
        { title: "Unused", number: true, value: (row) => row.unused, cell: (row) => count(row.unused) },
      ],
      rows: bySchema(tables), step: 50,
    })),
  ];
};

// Columns by their names: packet after packet, so that a large estate stays responsive.
const columnMatches = async (site, head, tables, words, report, isStale) => {
  const found = [];
  for (let packet = 0; packet < head.details.packets; packet += 1) {
    const data = await site.packet(packet);
    if (isStale()) return null;
    data.tables.forEach((table, row) => table.names.forEach((name, column) => {
      const text = name.toLowerCase();
      if (words.every((word) => text.includes(word))) {
        found.push({ place: packet * PACKET + row, name, type: data.types[table.kinds[column]] });
      }
    }));
    if (packet % 20 === 19) report(packet / head.details.packets, found.length);
  }
  return found;
};

const searchView = async (site, params, isStale) => {
  const [head, tables] = await Promise.all([site.head(), site.tables()]);
  const typed = params.get("search").trim();
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  // A name that is what was typed goes first, then those that begin with it, then the most read.
  const rank = (place) => {
    const name = tables.rows.name[place].toLowerCase();
    return name === typed.toLowerCase() ? 0 : name.startsWith(words[0]) ? 1 : name.includes(words[0]) ? 2 : 3;
  };
  const places = words.length ? tables.search(words).map((place) => [rank(place), place])
    .sort((a, b) => a[0] - b[0] || tables.rows.reads[b[1]] - tables.rows.reads[a[1]]).map(([, place]) => place) : [];
  const status = el("p", { class: "note", role: "status" }, `${plural(places.length, "table")} found; looking through the columns…`);
  const columns = el("div", {});
  const say = (number) => `${plural(places.length, "table")} and ${plural(number, "column")} found.`;
  columnMatches(site, head, tables, words, (done) => {
    status.textContent = `${plural(places.length, "table")} found; columns ${share(done, 1)} looked through…`;
  }, isStale).then((found) => {
    if (!found) return;
    const cut = tables.rows.columns.some((number) => number > head.details.columns) ? ` Of each table the page has ${count(head.details.columns)} columns at most.` : "";
    status.textContent = say(found.length) + cut;
    columns.append(list({
      columns: [
        { title: "Column", value: (row) => row.name, cell: (row) => named(row.name) },
        { title: "Type", value: (row) => row.type, cell: (row) => named(row.type) },
        { title: "Table", value: (row) => tables.full(row.place), cell: (row) => tableLink(site, tables, row.place) },
      ],
      rows: found, step: 50, empty: "No column has these letters in its name.",
    }));
  });
  return [
    el("h1", {}, "Search for “", named(typed), "”"),
    status,
    panel("Tables", list({ columns: tableColumns(site, tables), rows: places, step: 25, empty: "No table has these letters in its name." })),
    panel("Columns", columns),
  ];
};
