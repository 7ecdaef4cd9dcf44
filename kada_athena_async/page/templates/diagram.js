// Boxes in columns, arrows between them: lineage of a table, and of the schemas of the estate.

const BOX = { width: 196, least: 132, height: 44, gapX: 76, gapY: 14, wire: 10 };

const clip = (text, letters) => (text.length > letters ? `${text.slice(0, letters - 1)}…` : text);

// An arrow that skips columns runs through a wire in each of them, so that it crosses no box.
const wired = (arrows, byId_, columns, order) => arrows.map((arrow) => {
  const [from, to] = [byId_.get(arrow.from), byId_.get(arrow.to)];
  if (!from || !to || from === to) return null;
  const [at, end] = [order.indexOf(from.column), order.indexOf(to.column)];
  const step = Math.sign(end - at);
  const points = [from];
  for (let place = at + step; step && place !== end; place += step) {
    const wire = { column: order[place], high: BOX.wire, near: [] };
    columns.get(order[place]).push(wire);
    points.push(wire);
  }
  points.push(to);
  points.forEach((point, place) => point.near.push(...[points[place - 1], points[place + 1]].filter(Boolean)));
  return { ...arrow, points };
}).filter(Boolean);

const arrange = (columns, order, height) => {
  const place = (column) => {
    const high = column.reduce((sum, point) => sum + point.high + BOX.gapY, -BOX.gapY);
    let y = (height - high) / 2;
    for (const point of column) {
      point.y = y;
      y += point.high + BOX.gapY;
    }
  };
  columns.forEach(place);
  // Sweeps by the mean place of the neighbours leave few crossings.
  for (const keys of [order, [...order].reverse(), order, [...order].reverse()]) {
    for (const key of keys) {
      const column = columns.get(key);
      const mean = new Map(column.map((point) => {
        const near = point.near.filter((other) => other.column !== point.column);
        return [point, near.length ? near.reduce((sum, other) => sum + other.y + other.high / 2, 0) / near.length : point.y];
      }));
      column.sort((a, b) => mean.get(a) - mean.get(b));
      place(column);
    }
  }
};

const curve = (points, wide) => {
  const middle = (point) => point.y + point.high / 2;
  const [from, to] = [points[0], points[points.length - 1]];
  if (from.x === to.x) {
    const x = from.x + wide;
    return `M${x} ${middle(from)} C${x + 46} ${middle(from)} ${x + 46} ${middle(to)} ${x} ${middle(to)}`;
  }
  const right = to.x > from.x;
  let d = "";
  for (let place = 1; place < points.length; place += 1) {
    const [a, b] = [points[place - 1], points[place]];
    const x1 = right ? a.x + wide : a.x;
    const x2 = right ? b.x : b.x + wide;
    const half = (x1 + x2) / 2;
    d += `${place === 1 ? "M" : "L"}${x1} ${middle(a)} C${half} ${middle(a)} ${half} ${middle(b)} ${x2} ${middle(b)} `;
  }
  return d;
};

// nodes: [{id, column, title, sub, kind, href, chosen}]; arrows: [{from, to, dashed, words, label, weight}].
const diagram = ({ label, nodes, arrows }) => {
  const columns = new Map();
  for (const node of nodes) {
    Object.assign(node, { high: BOX.height, near: [] });
    if (!columns.has(node.column)) columns.set(node.column, []);
    columns.get(node.column).push(node);
  }
  const order = [...columns.keys()].sort((a, b) => a - b);
  const room = document.documentElement.clientWidth * 0.93 - (order.length - 1) * BOX.gapX;
  const wide = Math.max(BOX.least, Math.min(BOX.width, room / order.length));
  const drawn = wired(arrows, new Map(nodes.map((node) => [node.id, node])), columns, order);
  const height = Math.max(...[...columns.values()].map((column) => column.reduce((sum, point) => sum + point.high + BOX.gapY, BOX.gapY)));
  const width = order.length * wide + (order.length - 1) * BOX.gapX + 8;
  arrange(columns, order, height);
  order.forEach((key, at) => columns.get(key).forEach((point) => { point.x = 4 + at * (wide + BOX.gapX); }));

  const id = `arrow${(diagram.count = (diagram.count || 0) + 1)}`;
  const picture = svg("svg", { class: "diagram", width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": label },
    svg("defs", {}, svg("marker", { id, viewBox: "0 0 10 10", refX: 9, refY: 5, markerWidth: 9, markerHeight: 9, orient: "auto", markerUnits: "userSpaceOnUse" },
      svg("path", { class: "head", d: "M0 0 L10 5 L0 10 z" }))));
  const labels = [];
  for (const arrow of drawn) {
    const path = svg("path", { class: arrow.dashed ? "flow dashed" : "flow", d: curve(arrow.points, wide), "marker-end": `url(#${id})` }, svg("title", {}, arrow.words));
    if (arrow.weight) path.style.setProperty("--weight", arrow.weight);
    picture.append(path);
    if (arrow.label) {
      const [a, b] = arrow.points;
      const right = b.x > a.x;
      const x = a.x === b.x ? a.x + wide + 36 : right ? a.x + wide + BOX.gapX * 0.62 : a.x - BOX.gapX * 0.62;
      const y = a.y + a.high / 2 + (b.y + b.high / 2 - a.y - a.high / 2) * (a.x === b.x ? 0.5 : 0.7);
      labels.push(svg("text", { class: "flowlabel", x, y: y + 4, "text-anchor": "middle" }, arrow.label));
    }
  }
  picture.append(...labels);
  for (const node of nodes) {
    const inside = [
      svg("title", {}, `${node.full || node.title}${node.sub ? `, ${node.sub}` : ""}`),
      svg("rect", { class: `box ${node.kind || ""} ${node.chosen ? "chosen" : ""}`, x: node.x, y: node.y, width: wide, height: BOX.height, rx: 6 }),
      svg("text", { class: "title", x: node.x + 10, y: node.y + 19 }, clip(node.title, Math.floor((wide - 16) / 7.4))),
      svg("text", { class: "sub", x: node.x + 10, y: node.y + 35 }, clip(node.sub || "", Math.floor((wide - 16) / 6))),
    ];
    picture.append(node.href ? svg("a", { href: node.href }, inside) : svg("g", {}, inside));
  }
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, picture);
};
