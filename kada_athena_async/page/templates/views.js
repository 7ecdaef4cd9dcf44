// Queries, people, advice, the run, and the index of sites.

const ADVICE = {
  no_partition_filter: "read without a condition on its partition columns",
  select_star: "read by SELECT *",
  row_format: "read often in a row format",
  repeated: "the same statement within an hour",
  failed_after_scanning: "ended without success after scanning",
  growth: "scans more than the week before",
  written_never_read: "written and never read",
  unused_table: "kept and not used",
  no_scan_limit: "workgroup without a limit of bytes scanned",
};

const subjectCell = (site, head, tables, finding) => {
  const place = finding.subject.includes(".") ? tables.find(finding.subject) : undefined;
  if (place !== undefined) return tableLink(site, tables, place);
  const statement = head.history.statements.find((row) => row.fingerprint === finding.subject);
  return statement ? statementCell(site, statement) : named(finding.subject);
};

const adviceList = (site, head, tables, findings) => list({
  columns: [
    { title: "What", value: (finding) => ADVICE[finding.kind] || finding.kind, cell: (finding) => [subjectCell(site, head, tables, finding), el("small", { class: "kind" }, ADVICE[finding.kind] || finding.kind)] },
    { title: "Dollars", number: true, bar: true, value: (finding) => finding.usd, cell: (finding) => money(finding.usd) },
    { title: "Queries", number: true, value: (finding) => finding.executions, cell: (finding) => (finding.executions ? count(finding.executions) : NONE) },
    { title: "What to do", wide: true, cell: (finding) => [named(finding.remedy), finding.evidence.length ? details("Evidence", () => el("p", { class: "note" }, `Query ids: ${finding.evidence.join(", ")}`)) : null] },
  ],
  rows: findings, step: 25, empty: "No advice: nothing found that should cost less.", sorted: "Dollars",
});

const adviceView = async (site, params) => {
  const [head, tables] = await Promise.all([site.head(), site.tables()]);
  const kind = params.get("kind");
  const found = head.advice.findings.filter((finding) => !kind || finding.kind === kind);
  const left = head.advice.count - head.advice.findings.length;
  return [
    el("h1", {}, "Advice"),
    note("Dollars are what the queries were charged by bytes, of unused tables a month's storage: an upper bound of what can be saved. Findings overlap, so do not add them up."),
    el("p", { class: "chips" }, kind ? link(hrefTo(site, { view: "advice" }), "All") : null,
      Object.entries(head.advice.kinds).map(([name, number]) => link(hrefTo(site, { view: "advice", kind: name }), `${ADVICE[name] || name} (${count(number)})`))),
    left > 0 ? note(`The page has the ${count(head.advice.findings.length)} of most dollars; show advice has ${count(left)} more.`) : null,
    el("section", { class: "panel", "aria-label": "Advice" }, adviceList(site, head, tables, found)),
  ];
};

const workgroupColumns = (head, keys) => {
  const known = {
    n: { title: "Queries", number: true, value: (row) => row.n, cell: (row) => count(row.n) },
    failed: { title: "Failed", number: true, value: (row) => row.failed, cell: (row) => `${count(row.failed)} (${share(row.failed, row.n)})` },
    cancelled: { title: "Cancelled", number: true, value: (row) => row.cancelled, cell: (row) => count(row.cancelled) },
    usd: { title: "Dollars", number: true, bar: true, value: (row) => dollars(head, row.billed), cell: (row) => money(dollars(head, row.billed)) },
    dpu: { title: "DPU hours", number: true, value: (row) => row.dpu_hours, cell: (row) => (row.dpu_hours ? row.dpu_hours.toFixed(1) : NONE) },
    scanned: { title: "Scanned", number: true, value: (row) => row.scanned, cell: (row) => size(row.scanned) },
    median_ms: { title: "Median", number: true, value: (row) => row.median_ms, cell: (row) => span(row.median_ms) },
    p95_ms: { title: "95th percentile", number: true, value: (row) => row.p95_ms, cell: (row) => span(row.p95_ms) },
    queue_ms: { title: "In queue", number: true, bar: true, value: (row) => row.queue_ms, cell: (row) => span(row.queue_ms) },
    mean_queue_ms: { title: "Mean wait", number: true, value: (row) => row.queue_ms / row.n, cell: (row) => span(row.queue_ms === null ? null : row.queue_ms / row.n) },
    longest_queue_ms: { title: "Longest wait", number: true, value: (row) => row.longest_queue_ms, cell: (row) => span(row.longest_queue_ms) },
  };
  return [{ title: "Workgroup", value: (row) => row.name, cell: (row) => named(row.name) }, ...keys.map((key) => known[key])];
};

const BY = { billed: "most dollars", total_ms: "most time", queue_ms: "most time in the queue", n: "most runs" };

const queriesView = async (site, params) => {
  const head = await site.head();
  const { history } = head;
  const by = BY[params.get("by")] ? params.get("by") : "billed";
  const order = { billed: ["billed", "scanned", "total_ms", "n"], total_ms: ["total_ms", "longest_ms", "billed", "n"], queue_ms: ["queue_ms", "longest_queue_ms", "total_ms", "n"], n: ["n", "billed", "total_ms"] }[by];
  return [
    el("h1", {}, "Queries"),
    el("p", { class: "under" }, `${plural(history.totals.executions, "query", "queries")}, ${plural(history.statement_count, "statement")} that differ in more than literals.`),
    panel("By day", trends(head)),
    panel(`Statements of ${BY[by]}`,
      el("p", { class: "chips" }, Object.entries(BY).map(([key, words]) => (key === by ? el("strong", {}, words) : link(hrefTo(site, { view: "queries", by: key }), words)))),
      list({ columns: statementColumns(site, head, order), rows: ranking(site, head, by).slice(0, 100), step: 25, empty: "None." })),
    panel("Workgroups", list({ columns: workgroupColumns(head, ["usd", "n", "failed", "cancelled", "scanned", "dpu", "median_ms", "p95_ms", "queue_ms", "longest_queue_ms"]), rows: history.workgroups, step: 50, empty: "None.", sorted: "Dollars" })),
    history.hours.workgroup.length ? panel("Hours of the day", hourChart(history.hours)) : null,
    panel("Failures", note(`${count(history.totals.failed)} failed (${share(history.totals.failed, history.totals.executions)}), ${count(history.totals.cancelled)} were cancelled. Failed queries are not charged.`),
      list({
        columns: [
          { title: "Kind", value: (row) => row.kind, cell: (row) => named(row.kind) },
          { title: "Queries", number: true, bar: true, value: (row) => row.n, cell: (row) => count(row.n) },
          { title: "Workgroups", number: true, value: (row) => row.workgroups, cell: (row) => count(row.workgroups) },
          { title: "Example, masked", wide: true, value: (row) => row.example, cell: (row) => named(row.example) },
        ],
        rows: history.failures, step: 25, empty: "No query failed.", sorted: "Queries",
      })),
  ];
};

const statementView = async (site, params) => {
  const head = await site.head();
  const row = head.history.statements.find((each) => each.fingerprint === params.get("statement"));
  if (!row) return [el("h1", {}, "No such statement"), note("The page has the statements of most dollars, time and runs.")];
  return [
    el("p", { class: "crumb" }, link(hrefTo(site, { view: "queries" }), "Queries")),
    el("h1", {}, "Statement ", el("code", {}, named(row.fingerprint))),
    tiles([
      [count(row.n), "runs", row.failed ? `${count(row.failed)} failed` : null], [money(dollars(head, row.billed)), "by bytes, about"], [size(row.scanned), "scanned"],
      [span(row.total_ms), "time", `longest ${span(row.longest_ms)}`], [span(row.queue_ms), "in the queue", `longest ${span(row.longest_queue_ms)}`],
    ]),
    facts([["Workgroup", [named(row.workgroup), row.workgroups > 1 ? ` and ${count(row.workgroups - 1)} more` : ""]], ["Last run", row.last_at], ["Sample's query id", named(row.query_id)]]),
    panel("Sample, masked", el("pre", { tabindex: "0" }, named(row.sql))),
  ];
};

const peopleView = async (site) => {
  const head = await site.head();
  return [
    el("h1", {}, "Users and tools"),
    el("div", { class: "two" },
      panel("Users", list({ columns: groupColumns(head, "User"), rows: head.history.people, step: 50 })),
      panel("Tools", head.history.tools.some((row) => row.name) ? list({ columns: groupColumns(head, "Tool"), rows: head.history.tools, step: 50 })
        : note("The tools are not known: turn on attribute_users."))),
  ];
};

const runView = async (site) => {
  const head = await site.head();
  const { completeness, changes } = head;
  const change = (columns, rows, number, noun) => [
    list({ columns, rows, step: 25, empty: `No ${noun} changed.` }),
    number > rows.length ? note(`The page has ${count(rows.length)} of ${count(number)}; show changes has all.`) : null,
  ];
  return [
    el("h1", {}, "Runs, completeness and changes"),
    panel("Completeness of the newest run",
      note(completeness.incomplete ? `${count(completeness.incomplete)} of ${count(completeness.asked)} parts ${completeness.incomplete === 1 ? "was" : "were"} not read completely.` : "Everything that was asked for was read completely."),
      completeness.problems.length ? list({
        columns: [
          { title: "Part", value: (row) => row.name, cell: (row) => named(row.name || "all") },
          { title: "Kind", value: (row) => row.scope }, { title: "Outcome", value: (row) => row.outcome },
          { title: "Reason", wide: true, value: (row) => row.reason, cell: (row) => named(row.reason) },
        ],
        rows: completeness.problems, step: 50,
      }) : null,
      completeness.gaps.length ? list({
        caption: "Times whose queries no extract holds",
        columns: [
          { title: "Workgroup", value: (row) => row.workgroup, cell: (row) => named(row.workgroup || "all") }, { title: "From (UTC)", value: (row) => row.start },
          { title: "To", value: (row) => row.end }, { title: "Kind", value: (row) => row.kind, cell: (row) => named(row.kind) },
        ],
        rows: completeness.gaps,
      }) : null,
      completeness.warnings.length ? el("ul", {}, completeness.warnings.map((text) => el("li", {}, named(text)))) : null),
    panel("Changes since the run before", changes === null ? note("Nothing to compare with: there is no earlier run.") : [
      note(`Since ${changes.since} UTC, in ${plural(changes.compared, "schema")} that both runs read completely${changes.leftOutCount ? `; ${plural(changes.leftOutCount, "schema")} left out` : ""}.`),
      change([
        { title: "Table", value: (row) => row[0], cell: (row) => named(row[0]) }, { title: "Before", value: (row) => row[1], cell: (row) => row[1].toLowerCase() || "not there" },
        { title: "Now", value: (row) => row[2], cell: (row) => row[2].toLowerCase() || "gone" },
      ], changes.tables, changes.tableCount, "table"),
      change([
        { title: "Table", value: (row) => row[0], cell: (row) => named(row[0]) }, { title: "Column", value: (row) => row[1], cell: (row) => named(row[1]) },
        { title: "Before", value: (row) => row[2], cell: (row) => named(row[2] || "not there") }, { title: "Now", value: (row) => row[3], cell: (row) => named(row[3] || "gone") },
      ], changes.columns, changes.columnCount, "column"),
    ]),
    el("div", { class: "two" },
      panel("Runs", list({
        columns: [{ title: "From (UTC)", value: (row) => row[0] }, { title: "To", value: (row) => row[1] }, { title: "Begun", value: (row) => row[2] }, { title: "Version", value: (row) => row[3], cell: (row) => named(row[3]) }],
        rows: head.runList, step: 31,
      })),
      panel("Files of the newest run", list({
        columns: [{ title: "File", value: (row) => row[0], cell: (row) => named(row[0]) }, { title: "Rows", number: true, value: (row) => row[1], cell: (row) => count(row[1]) }, { title: "Size", number: true, value: (row) => row[2], cell: (row) => size(row[2]) }],
        rows: head.files,
      }))),
    panel("Calls of the newest run to AWS", list({
      columns: [
        { title: "Operation", value: (row) => row.operation, cell: (row) => named(row.operation) },
        { title: "Calls", number: true, bar: true, value: (row) => row.calls, cell: (row) => count(row.calls) },
        { title: "Throttled", number: true, value: (row) => row.throttles, cell: (row) => count(row.throttles) },
        { title: "Peak calls/s", number: true, value: (row) => row.peak, cell: (row) => (row.peak === null ? NONE : row.peak.toFixed(1)) },
        { title: "Allowed calls/s", number: true, value: (row) => row.quota, cell: (row) => (row.quota === null || row.quota === undefined ? NONE : row.quota.toFixed(1)) },
      ],
      rows: head.calls, step: 50, empty: "The run made no calls.",
    })),
  ];
};

// A site of which the page has no more than its line in the index.
const summaryView = ({ summary }) => [
  el("h1", {}, named(summary.site || summary.server)),
  note("The page has no room for more of this site: ", el("code", {}, named(`report --site ${summary.site}`)), " makes a page of it alone."),
  tiles([
    [count(summary.estate.tables), "tables", plural(summary.estate.views, "view")],
    [count(summary.totals.executions), "queries", `${share(summary.totals.failed, summary.totals.executions)} failed`],
    [size(summary.totals.scanned), "scanned"], [money(summary.usd), "by bytes, about"],
  ]),
];

const sitesView = (sites) => {
  const sum = (read) => sites.reduce((total, { summary }) => total + read(summary), 0);
  return [
    el("h1", {}, `${count(sites.length)} sites`),
    tiles([
      [count(sum((s) => s.estate.tables)), "tables", `${plural(sum((s) => s.estate.views), "view")}`],
      [count(sum((s) => s.totals.executions)), "queries", `${share(sum((s) => s.totals.failed), sum((s) => s.totals.executions))} failed`],
      [size(sum((s) => s.totals.scanned)), "scanned"], [money(sum((s) => s.usd)), "by bytes, about"],
    ]),
    el("section", { class: "panel", "aria-label": "Sites" }, list({
      columns: [
        { title: "Site", value: ({ summary }) => summary.site, cell: (site) => el("span", { class: "place" }, link(hrefTo(site, {}), named(site.summary.site)), el("small", {}, named(site.summary.region || site.summary.server))) },
        { title: "Dollars", number: true, bar: true, value: ({ summary }) => summary.usd, cell: ({ summary }) => money(summary.usd) },
        { title: "Queries", number: true, value: ({ summary }) => summary.totals.executions, cell: ({ summary }) => count(summary.totals.executions) },
        { title: "Failed", number: true, value: ({ summary }) => summary.totals.failed, cell: ({ summary }) => count(summary.totals.failed) },
        { title: "Scanned", number: true, value: ({ summary }) => summary.totals.scanned, cell: ({ summary }) => size(summary.totals.scanned) },
        { title: "Tables", number: true, value: ({ summary }) => summary.estate.tables, cell: ({ summary }) => count(summary.estate.tables) },
        { title: "Views", number: true, value: ({ summary }) => summary.estate.views, cell: ({ summary }) => count(summary.estate.views) },
        { title: "Until (UTC)", value: ({ summary }) => summary.end },
      ],
      rows: sites, step: 100,
    })),
  ];
};
