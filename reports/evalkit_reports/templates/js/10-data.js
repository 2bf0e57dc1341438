// What the page carries: an index of all trials, then the contents in chunks. Every one is deflated JSON in base64.
const $ = (id) => document.getElementById(id);

async function unpack(packed) {
  const binary = atob(packed);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  const inflated = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(inflated).text());
}

function taken(element) { // its text, which the page itself has no more use for
  const text = element.textContent;
  element.remove();
  return text;
}

const OUTCOME = { p: "passed", m: "missed", e: "errored", u: "unscored", n: "not run" };
const SHAPE = { p: "passed", m: "missed", e: "errored", u: "unscored", n: "notrun", f: "missed", s: "none" };
const STATE = { p: "passed", f: "missed", s: "scored", u: "unscored", e: "errored" };

const MOST_UNPACKED = 24;

const data = {
  rows: 0,
  async open() {
    Object.assign(this, await unpack(taken($("evalkit-index"))));
    this.count = this.rows.case.length;
    this.packed = [...document.querySelectorAll(".evalkit-chunk")].map(taken);
    this.sides = sideFiles();
    this.loaded = new Map();
    // The first row and the place of each row within its case.
    this.firstRow = new Int32Array(this.cases.id.length).fill(-1);
    for (let row = 0; row < this.count; row++) {
      const number = this.rows.case[row];
      if (this.firstRow[number] < 0) this.firstRow[number] = row;
    }
  },
  rowsOf(number) {
    const found = [];
    for (let row = this.firstRow[number]; row < this.count && this.rows.case[row] === number; row++) found.push(row);
    return found;
  },
  chunkOf(number) {
    let low = 0, high = this.chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.chunks[middle] <= number) low = middle; else high = middle - 1;
    }
    return low;
  },
  // A chunk stays unpacked while it is among the last that were asked for.
  chunk(index) {
    const known = this.loaded.get(index) ?? this.read(index);
    this.loaded.delete(index);
    this.loaded.set(index, known);
    if (this.loaded.size > MOST_UNPACKED) this.loaded.delete(this.loaded.keys().next().value);
    return known;
  },
  async read(index) {
    return unpack(this.sides ? await this.sides.chunk(index) : this.packed[index]);
  },
  async contents(number) {
    const index = this.chunkOf(number);
    return (await this.chunk(index))[number - this.chunks[index]];
  },
};

function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  for (const child of children) if (child !== null && child !== undefined) element.append(child);
  return element;
}

function icon(name, size = 15) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", `icon s-${name}`);
  svg.setAttribute("width", size);
  svg.setAttribute("height", size);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

function button(text, className, action, label) {
  const element = make("button", className, text);
  element.type = "button";
  if (label) element.setAttribute("aria-label", label);
  element.addEventListener("click", action);
  return element;
}

const whole = new Intl.NumberFormat("en-US");
function seconds(value) {
  if (value === null || value === undefined) return "–";
  if (value === 0) return "0 s";
  if (value < 0.0009995) return `${(value * 1e6).toFixed(0)} µs`;
  if (value < 0.9995) return `${Number((value * 1000).toPrecision(3))} ms`;
  if (value < 59.95) return `${Number(value.toPrecision(3))} s`;
  const total = Math.round(value);
  return `${Math.floor(total / 60)} min ${String(total % 60).padStart(2, "0")} s`;
}
function dollars(value) {
  if (value === null || value === undefined) return "–";
  if (value === 0 || Math.abs(value) >= 1) return `$${value.toFixed(2)}`;
  return `$${value.toFixed(Math.min(10, Math.max(2, 1 - Math.floor(Math.log10(Math.abs(value))))))}`;
}
function figure(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value)) return whole.format(value);
  return Math.abs(value) < 10 && Math.abs(value) >= 0.0005 ? value.toFixed(3) : String(Number(value.toPrecision(4)));
}
