// The data inside the page, unpacked when it is first looked at.

const unpack = async (id) => {
  const bytes = Uint8Array.from(atob(byId(id).textContent.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
};

const PACKET = 512;

// Numbers in digits of base 91: see packing.py.
const numbers = (text, width) => {
  const found = [];
  for (let at = 0; at < text.length; at += width) {
    let number = 0;
    for (let digit = 0; digit < width; digit += 1) {
      const code = text.charCodeAt(at + digit);
      number = number * 91 + (code > 92 ? code - 36 : code - 35);
    }
    found.push(number);
  }
  return found;
};

// A packet's columns come one after the other; each table gets its own.
const shareOut = (packet, common) => {
  const kinds = numbers(packet.kinds, packet.typeWidth);
  let own = 0;
  const names = numbers(packet.names, common.width).map((place) => (place ? common.names[place] : packet.own[own++]));
  let at = 0;
  for (const table of packet.tables) {
    const end = at + (table.columns || 0);
    table.names = names.slice(at, end);
    table.kinds = kinds.slice(at, end);
    at = end;
  }
  return packet;
};
const KINDS = ["table", "view", "S3 location"];

class Tables {
  constructor({ lists, rows }) {
    this.scopes = lists.scopes.map((parts) => parts.filter(Boolean).join("."));
    this.schemas = lists.scopes;
    this.formats = lists.formats;
    this.rows = rows;
    this.count = rows.name.length;
  }
  full(place) {
    const scope = this.scopes[this.rows.scope[place]];
    return scope ? `${scope}.${this.rows.name[place]}` : this.rows.name[place];
  }
  scope(place) { return this.scopes[this.rows.scope[place]] || "S3"; }
  kind(place) {
    const kind = KINDS[this.rows.kind[place]];
    return this.rows.known[place] || this.rows.kind[place] === 2 ? kind : `${kind}, not in the catalog now`;
  }
  places(test) {
    const found = [];
    for (let place = 0; place < this.count; place += 1) if (test(place)) found.push(place);
    return found;
  }
  // By its full name, or by the end of it where no other table has the same.
  find(name) {
    if (!this.byName) {
      this.byName = new Map();
      for (let place = this.count - 1; place >= 0; place -= 1) {
        this.byName.set(this.full(place).toLowerCase(), place);
      }
    }
    const wanted = name.toLowerCase();
    const exact = this.byName.get(wanted);
    if (exact !== undefined) return exact;
    const ends = this.places((place) => this.full(place).toLowerCase().endsWith(`.${wanted}`));
    return ends.length === 1 ? ends[0] : undefined;
  }
  search(words) {
    return this.places((place) => {
      const text = this.full(place).toLowerCase();
      return words.every((word) => text.includes(word));
    });
  }
}

class Edges {
  constructor({ kinds, rows }) {
    this.kinds = kinds;
    this.rows = rows;
    this.count = rows.target.length;
    let source = 0;
    this.sources = rows.step.map((step) => (source += step));
    this.targets = rows.target;
    this.down = this.grouped(this.sources);
    this.up = this.grouped(this.targets);
  }
  grouped(ends) {
    const edges = new Map();
    ends.forEach((place, edge) => {
      if (edges.has(place)) edges.get(place).push(edge);
      else edges.set(place, [edge]);
    });
    return edges;
  }
  kind(edge) {
    const kind = this.kinds[this.rows.kind[edge]];
    return this.rows.direct[edge] ? kind : `${kind} (filter, join or sort only)`;
  }
}

class Site {
  constructor(number, summary) {
    this.number = number;
    this.summary = summary;
    this.kept = new Map();
  }
  part(name, make) {
    if (!this.kept.has(name)) {
      const id = `data-${this.number}-${name}`;
      this.kept.set(name, byId(id) ? unpack(id).then(make || ((value) => value)) : Promise.resolve(null));
    }
    return this.kept.get(name);
  }
  head() { return this.part("head"); }
  tables() { return this.part("tables", (data) => new Tables(data)); }
  edges() { return this.part("edges", (data) => new Edges(data)); }
  pairs() { return this.part("pairs"); }
  async packet(number) {
    const common = await this.part("names");
    return this.part(`details-${number}`, (packet) => shareOut(packet, common));
  }
  async details(place) {
    const packet = await this.packet(Math.floor(place / PACKET));
    if (!packet) return null;
    return { types: packet.types, ...packet.tables[place % PACKET] };
  }
}
