// The first view: what matters, with the ways to the rest.

const dollars = (head, billed) => (billed / 2 ** 40) * head.history.usd_per_tb;

const hrefTo = (site, parts) => {
  const entries = site.several ? { site: site.summary.site, ...parts } : parts;
  return `#${Object.entries(entries).map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join("&")}`;
};

const tableLink = (site, tables, place) => el("span", { class: "place" },
  link(hrefTo(site, { table: tables.full(place) }), named(tables.rows.name[place])),
  el("small", {}, named(tables.scope(place))));

const trends = (head) => {
  const { days } = head.history;
  if (!days.day.length) return note("No query ended in this time.");
  const { totals } = head.history;
  const shared = { days: days.day, partial: days.partial };
  const usd = days.billed.map((billed) => dollars(head, billed));
  const partials = days.partial.filter(Boolean).length;
  return [
    el("div", { class: "trends" },
      dayChart({ ...shared, title: "Queries", total: count(totals.executions), format: count, layers: [{ name: "queries", kind: "s1", values: days.n }] }),
      dayChart({ ...shared, title: "Bytes scanned", total: size(totals.scanned), format: size, layers: [{ name: "bytes", kind: "s1", values: days.scanned }], top: (most) => {
        const unit = 1024 ** Math.max(0, Math.floor(Math.log2(Math.max(most, 1)) / 10));
        return niceTop(most / unit) * unit;
      } }),
      dayChart({ ...shared, title: "Dollars", total: money(dollars(head, totals.billed)), format: money, layers: [{ name: "dollars", kind: "s1", values: usd }] }),
      dayChart({ ...shared, title: "Failed and cancelled", total: `${count(totals.failed)} and ${count(totals.cancelled)}`, format: count,
        layers: [{ name: "failed", kind: "s2", values: days.failed }, { name: "cancelled", kind: "s3", values: days.cancelled }] })),
    legend([["s1", "a whole day, UTC"], ...(partials ? [["partial", "a day of which the runs hold only a part"]] : []), ["s2", "failed"], ["s3", "cancelled"]]),
  ];
};

// What gave way so that the page stays small; the extracts have all.
const leftOut = (site, head) => {
  const words = [...head.leftOut, ...head.details.leftOut];
  if (!words.length) return null;
  return note(`The page has no room for: ${words.join("; ")}. `,
    ...(site.several ? [el("code", {}, named(`report --site ${head.site}`)), " makes a page of this site alone."] : ["The extracts have all."]));
};

const alerts = (site, head) => {
  const { completeness } = head;
  const items = [];
  if (completeness.incomplete) {
    items.push(el("li", {}, `${count(completeness.incomplete)} of ${count(completeness.asked)} parts of the estate ${completeness.incomplete === 1 ? "was" : "were"} not read completely. `,
      link(hrefTo(site, { view: "run" }), "Which and why")));
  }
  if (completeness.gaps.length) items.push(el("li", {}, `${plural(completeness.gaps.length, "gap")} in the history. `, link(hrefTo(site, { view: "run" }), "When")));
  return items.length ? el("ul", { class: "alerts" }, items) : null;
};

const ranking = (site, head, key) => head.history.statements.filter((row) => row[key] > 0).sort((a, b) => b[key] - a[key] || b.n - a.n);

const statementCell = (site, row) => el("span", { class: "sql" },
  link(hrefTo(site, { statement: row.fingerprint }), el("code", {}, named(clip(row.sql.replace(/\s+/g, " "), 110) || row.fingerprint))));

const statementColumns = (site, head, first) => {
  const known = {
    billed: { title: "Dollars", number: true, bar: true, value: (row) => dollars(head, row.billed), cell: (row) => money(dollars(head, row.billed)) },
    total_ms: { title: "Time", number: true, bar: true, value: (row) => row.total_ms, cell: (row) => span(row.total_ms) },
    longest_ms: { title: "Longest", number: true, value: (row) => row.longest_ms, cell: (row) => span(row.longest_ms) },
    queue_ms: { title: "In queue", number: true, bar: true, value: (row) => row.queue_ms, cell: (row) => span(row.queue_ms) },
    longest_queue_ms: { title: "Longest wait", number: true, value: (row) => row.longest_queue_ms, cell: (row) => span(row.longest_queue_ms) },
    scanned: { title: "Scanned", number: true, value: (row) => row.scanned, cell: (row) => size(row.scanned) },
    n: { title: "Runs", number: true, value: (row) => row.n, cell: (row) => count(row.n) },
  };
  return [{ title: "Statement", wide: true, value: (row) => row.sql, cell: (row) => statementCell(site, row) }, ...first.map((key) => known[key])];
};

const usedColumns = (site, tables) => [
  { title: "Table", value: (place) => tables.full(place), cell: (place) => tableLink(site, tables, place) },
  { title: "Reads", number: true, bar: true, value: (place) => tables.rows.reads[place], cell: (place) => count(tables.rows.reads[place]) },
  { title: "Writes", number: true, value: (place) => tables.rows.writes[place], cell: (place) => count(tables.rows.writes[place]) },
  { title: "Users", number: true, value: (place) => tables.rows.users[place], cell: (place) => count(tables.rows.users[place]) },
  { title: "Scanned", number: true, value: (place) => tables.rows.scanned[place], cell: (place) => size(tables.rows.scanned[place]) },
];

const storage = (head, bytes) => (bytes === null ? null : (bytes / head.estate.gb_bytes) * head.estate.storage_usd_per_gb);

const unusedColumns = (site, head, tables) => [
  { title: "Table", value: (place) => tables.full(place), cell: (place) => tableLink(site, tables, place) },
  { title: "Kind", value: (place) => tables.kind(place) },
  { title: "Size", number: true, bar: true, value: (place) => tables.rows.size[place], cell: (place) => size(tables.rows.size[place]) },
  { title: "Rows", number: true, value: (place) => tables.rows.rows[place], cell: (place) => count(tables.rows.rows[place]) },
  { title: "Storage a month", number: true, value: (place) => storage(head, tables.rows.size[place]), cell: (place) => money(storage(head, tables.rows.size[place])) },
];

const usedPlaces = (tables) => tables.places((place) => tables.rows.reads[place] || tables.rows.writes[place])
  .sort((a, b) => tables.rows.reads[b] - tables.rows.reads[a] || tables.rows.writes[b] - tables.rows.writes[a]);
const unusedPlaces = (tables) => tables.places((place) => tables.rows.unused[place])
  .sort((a, b) => (tables.rows.size[b] || 0) - (tables.rows.size[a] || 0));

const groupColumns = (head, title) => [
  { title, value: (row) => row.name, cell: (row) => named(row.name || "not known") },
  { title: "Queries", number: true, bar: true, value: (row) => row.n, cell: (row) => count(row.n) },
  { title: "Failed", number: true, value: (row) => row.failed, cell: (row) => count(row.failed) },
  { title: "Scanned", number: true, value: (row) => row.scanned, cell: (row) => size(row.scanned) },
  { title: "Dollars", number: true, value: (row) => dollars(head, row.billed), cell: (row) => money(dollars(head, row.billed)) },
];

const unusedRemark = (head) => `Not read or written in this time, not even through a view; CREATE VIEW, OPTIMIZE and VACUUM do not count. Looked at: schemas that every run read completely${
  head.estate.doubtful_schemas.length ? `, which leaves out ${plural(head.estate.doubtful_schemas.length, "schema")}` : ""}.${
  head.estate.doubts.length ? ` More may have been used: ${head.estate.doubts.join("; ")}.` : ""}`;

const overview = async (site) => {
  const [head, tables] = await Promise.all([site.head(), site.tables()]);
  const { totals } = head.history;
  const used = usedPlaces(tables);
  const unused = unusedPlaces(tables);
  const all = (parts, words) => el("p", { class: "all" }, link(hrefTo(site, parts), words));
  const tools = head.history.tools.filter((row) => row.name);
  const failedShare = share(totals.failed, totals.executions);
  return [
    el("h1", {}, named(head.site || head.server || "Athena estate")),
    el("p", { class: "under" }, `Queries that ended from ${head.start} to ${head.end} UTC, ${plural(head.runs, "run")}; the estate as the newest run found it.`),
    alerts(site, head),
    tiles([
      [count(head.estate.tables), "tables", `${plural(head.estate.views, "view")}, ${plural(head.estate.schemas, "schema")}`],
      [count(totals.executions), "queries", `${failedShare} failed`, totals.failed > totals.executions / 10 ? "bad" : null],
      [size(totals.scanned), "scanned", totals.reused ? `${plural(totals.reused, "result")} used again` : null],
      [money(dollars(head, totals.billed)), "by bytes, about", null],
      ...(totals.dpu_hours ? [[`${totals.dpu_hours.toLocaleString("en-US", { maximumFractionDigits: 1 })} h`, "DPU hours reserved", `worth ${money(totals.dpu_hours * head.history.usd_per_dpu_hour)}`]] : []),
      [count(head.estate.unused), "unused tables", head.estate.unused_bytes ? `${size(head.estate.unused_bytes)}, ${money(storage(head, head.estate.unused_bytes))} a month` : null],
      [count(head.advice.count), "pieces of advice", head.advice.findings.length ? `the largest: ${money(head.advice.findings[0].usd)}` : null],
    ]),
    note(`Prices: ${money(head.history.usd_per_tb)} for a TB scanned, 2^40 bytes (${head.history.tb_source})${totals.dpu_hours ? `; ${money(head.history.usd_per_dpu_hour)} for a DPU hour (${head.history.dpu_source}), which a reservation costs used or not` : ""}.`),
    leftOut(site, head),
    panel("By day", trends(head)),
    el("div", { class: "panels" },
      panel("Where money can be saved", adviceList(site, head, tables, head.advice.findings.slice(0, 5)), all({ view: "advice" }, `All ${count(head.advice.count)} pieces of advice`)),
      panel("Tables used most", list({ columns: usedColumns(site, tables), rows: used.slice(0, 10), step: 10, empty: "No table was used.", sorted: "Reads" }), all({ view: "tables" }, `All ${count(tables.count)} tables`)),
      panel("Unused tables", note(unusedRemark(head)), list({ columns: unusedColumns(site, head, tables), rows: unused.slice(0, 10), step: 10, empty: "Every table was used.", sorted: "Size" }), all({ view: "tables", show: "unused" }, `All ${count(unused.length)} unused tables`)),
      panel("Most expensive statements", list({ columns: statementColumns(site, head, ["billed", "scanned", "n"]), rows: ranking(site, head, "billed").slice(0, 8), step: 8, empty: "No statement cost anything by its bytes.", sorted: "Dollars" }), all({ view: "queries" }, "All statements, workgroups and failures")),
      panel("Slowest statements", list({ columns: statementColumns(site, head, ["total_ms", "longest_ms", "n"]), rows: ranking(site, head, "total_ms").slice(0, 8), step: 8, sorted: "Time" }), all({ view: "queries", by: "total_ms" }, "All slow statements")),
      panel("Time in the queue", list({ columns: workgroupColumns(head, ["queue_ms", "longest_queue_ms", "mean_queue_ms"]), rows: head.history.workgroups.filter((row) => row.queue_ms !== undefined).sort((a, b) => (b.queue_ms || 0) - (a.queue_ms || 0)).slice(0, 8), step: 8, empty: "No query waited.", sorted: "In queue" }), all({ view: "queries", by: "queue_ms" }, "The statements that waited")),
      panel("Users", list({ columns: groupColumns(head, "User"), rows: head.history.people.slice(0, 8), step: 8 }), all({ view: "people" }, "All users and tools")),
      panel("Tools", tools.length ? list({ columns: groupColumns(head, "Tool"), rows: head.history.tools.slice(0, 8), step: 8, sorted: "Queries" })
        : note("The tools are not known: turn on attribute_users.")),
      panel("Lineage", note(head.lineage.count ? `${plural(head.lineage.count, "flow")} of data between tables ${head.lineage.count === 1 ? "is" : "are"} known.` : "No flow of data between tables is known."), all({ view: "lineage" }, "The whole estate by schema"))),
  ];
};
