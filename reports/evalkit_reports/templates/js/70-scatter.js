// A score against what it took: one point for each trial. Drawn on a canvas, as there may be a hundred thousand.
const MARGIN = { left: 46, right: 14, top: 12, bottom: 34 };
const NEAR = 14;

function tellQuantity(key, value) {
  if (key === "latency") return seconds(value);
  if (key === "cost") return dollars(value);
  return `${figure(value)} ${key === "tokens" ? "tokens" : "characters"}`;
}

function axisOf(values, { logarithmic = false, shares = false } = {}) {
  let low = Infinity, high = -Infinity;
  for (const value of values) { if (value < low) low = value; if (value > high) high = value; }
  if (shares && low >= 0 && high <= 1) [low, high] = [0, 1];
  const isLog = logarithmic && low > 0 && high / low > 100;
  const scale = isLog ? Math.log10 : (value) => value;
  let start = scale(low), end = scale(high);
  if (!shares && !isLog && start > 0 && start < end * 0.5) start = 0;
  if (!(end > start)) { start -= Math.abs(start) * 0.1 || 0.5; end += Math.abs(end) * 0.1 || 0.5; }
  return { low: start, high: end, isLog, at: (value) => (scale(value) - start) / (end - start), back: (place) => { const value = start + place * (end - start); return isLog ? 10 ** value : value; } };
}

// The same small shift for a point every time, so that equal values do not hide each other.
function shift(row) {
  let hash = (row + 1) * 2654435761;
  hash ^= hash >>> 15;
  return ((hash >>> 0) % 1000) / 1000 - 0.5;
}

class ScatterPlot {
  constructor(box) {
    this.box = box;
    this.canvas = box.querySelector("canvas");
    this.frame = box.querySelector(".scatter-frame");
    this.tip = box.querySelector(".scatter-tip");
    this.suite = Number(box.dataset.suite);
    [this.y, this.x] = box.querySelectorAll("select");
    this.focused = -1;
    this.x.addEventListener("change", () => this.choose());
    this.y.addEventListener("change", () => this.choose());
    this.frame.addEventListener("pointermove", (event) => this.point(this.nearest(event)));
    this.frame.addEventListener("pointerleave", () => this.point(-1));
    this.frame.addEventListener("blur", () => this.point(-1));
    this.frame.addEventListener("click", (event) => this.open(this.nearest(event)));
    this.frame.addEventListener("keydown", (event) => this.press(event));
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    this.choose();
  }

  choose() {
    const key = this.x.value, score = data.scores.find((one) => one.name === this.y.value);
    const values = score?.values ?? [], rows = data.rows[key];
    this.rows = rowsWhere(this.suite, (row) => typeof values[row] === "number" && rows[row] !== null).sort((a, b) => rows[a] - rows[b] || a - b);
    this.left = rowsWhere(this.suite, () => true).length - this.rows.length;
    this.values = [values, rows];
    const distinct = new Set();
    for (const row of this.rows) { distinct.add(values[row]); if (distinct.size > 6) break; }
    this.isCoarse = distinct.size <= 6;
    this.across = axisOf(this.rows.map((row) => rows[row]), { logarithmic: true });
    this.up = axisOf(this.rows.map((row) => values[row]), { shares: true });
    this.inset = this.isCoarse ? 26 : 8; // room for what is spread around the ends
    this.focused = -1;
    this.tell(key);
    this.draw();
  }

  tell(key) {
    const middle = (letter) => {
      const found = this.rows.filter((row) => data.rows.outcome[row] === letter).map((row) => data.rows[key][row]);
      return found.length ? `${OUTCOME[letter]}: median ${tellQuantity(key, found[Math.floor((found.length - 1) / 2)])}` : "";
    };
    const told = [middle("p"), middle("m"), this.across.isLog ? "logarithmic axis" : "", this.isCoarse ? "equal values are spread a little" : "", this.left ? `${whole.format(this.left)} without a value are not drawn` : ""];
    this.box.querySelector(".scatter-told").textContent = told.filter(Boolean).join(" · ");
  }

  place(row) {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const across = width - MARGIN.left - MARGIN.right, up = height - MARGIN.top - MARGIN.bottom - 2 * this.inset;
    const spread = this.isCoarse ? shift(row) * Math.min(34, up / 6) : 0;
    return [MARGIN.left + across * this.across.at(this.values[1][row]), MARGIN.top + this.inset + up * (1 - this.up.at(this.values[0][row])) + spread];
  }

  colours() {
    const of = (name) => getComputedStyle(this.box.querySelector(`.s-${name}`)).color;
    const plain = getComputedStyle(this.tip);
    return { passed: of("passed"), missed: of("missed"), errored: of("errored"), unscored: of("unscored"), ink: getComputedStyle(this.box).color, muted: getComputedStyle(this.box.querySelector(".scatter-told")).color, line: plain.borderTopColor };
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height) return;
    const ratio = Math.min(globalThis.devicePixelRatio || 1, 3);
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    const pen = this.canvas.getContext("2d"), colours = this.colours();
    pen.scale(ratio, ratio);
    this.drawAxes(pen, width, height, colours);
    pen.globalAlpha = this.rows.length > 2000 ? 0.35 : this.rows.length > 400 ? 0.55 : 0.8;
    const size = this.rows.length > 2000 ? 2 : 3.2;
    for (const row of this.rows) this.drawPoint(pen, ...this.place(row), data.rows.outcome[row], size, colours);
    pen.globalAlpha = 1;
    if (this.focused >= 0) {
      const [x, y] = this.place(this.focused);
      pen.strokeStyle = colours.ink;
      pen.lineWidth = 2;
      pen.beginPath();
      pen.arc(x, y, 7, 0, 7);
      pen.stroke();
    }
  }

  // The shape says it, too: a disc passed, a square missed, a triangle raised, a ring was not scored.
  drawPoint(pen, x, y, letter, size, colours) {
    pen.fillStyle = pen.strokeStyle = colours[SHAPE[letter]] ?? colours.unscored;
    if (letter === "m") pen.fillRect(x - size * 0.9, y - size * 0.9, size * 1.8, size * 1.8);
    else {
      pen.beginPath();
      if (letter === "e") { pen.moveTo(x, y - size * 1.2); pen.lineTo(x + size * 1.2, y + size); pen.lineTo(x - size * 1.2, y + size); } else pen.arc(x, y, size, 0, 7);
      if (letter === "u") pen.stroke(); else pen.fill();
    }
  }

  drawAxes(pen, width, height, colours) {
    pen.font = "11px system-ui, sans-serif";
    pen.strokeStyle = colours.line;
    pen.fillStyle = colours.muted;
    pen.lineWidth = 1;
    const steps = width < 420 ? 2 : 4, up = height - MARGIN.top - MARGIN.bottom - 2 * this.inset, across = width - MARGIN.left - MARGIN.right;
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (let step = 0; step <= 4; step++) {
      const y = Math.round(MARGIN.top + this.inset + up * (1 - step / 4)) + 0.5;
      pen.beginPath(); pen.moveTo(MARGIN.left - 4, y); pen.lineTo(width - MARGIN.right, y); pen.stroke();
      pen.fillText(String(Number(this.up.back(step / 4).toPrecision(3))), MARGIN.left - 8, y);
    }
    pen.textBaseline = "top";
    for (let step = 0; step <= steps; step++) {
      pen.textAlign = step === 0 ? "left" : step === steps ? "right" : "center";
      const value = this.across.back(step / steps);
      const told = this.x.value === "length" || this.x.value === "tokens" ? figure(Math.round(value)) : tellQuantity(this.x.value, Number(value.toPrecision(2)));
      pen.fillText(told, MARGIN.left + across * step / steps, height - MARGIN.bottom + 8);
    }
  }

  nearest(event) {
    const box = this.canvas.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
    let found = -1, least = NEAR * NEAR;
    for (const row of this.rows) {
      const [left, top] = this.place(row), away = (left - x) ** 2 + (top - y) ** 2;
      if (away < least) { least = away; found = row; }
    }
    return found;
  }

  point(row) {
    if (row === this.focused) return;
    this.focused = row;
    this.frame.classList.toggle("pointing", row >= 0);
    this.tip.hidden = row < 0;
    if (row >= 0) {
      const trial = data.rows.trial[row] > 1 ? ` (trial ${data.rows.trial[row]})` : "";
      this.tip.textContent = `${data.cases.id[data.rows.case[row]]}${trial}: ${this.y.value} ${figure(this.values[0][row])}, ${tellQuantity(this.x.value, this.values[1][row])}, ${OUTCOME[data.rows.outcome[row]]}`;
      const [x, y] = this.place(row), width = this.canvas.clientWidth;
      this.tip.style.left = `${Math.min(Math.max(x, 90), width - 90)}px`;
      this.tip.style.top = `${y + (y < 60 ? 16 : -12)}px`;
      this.tip.classList.toggle("below", y < 60);
    }
    this.draw();
  }

  press(event) {
    const by = { ArrowRight: 1, ArrowLeft: -1, PageDown: 20, PageUp: -20, Home: -Infinity, End: Infinity }[event.key];
    if (by !== undefined && this.rows.length) {
      event.preventDefault();
      const at = this.rows.indexOf(this.focused);
      this.point(this.rows[Math.min(Math.max((at < 0 ? -1 : at) + by, 0), this.rows.length - 1)]);
    } else if (event.key === "Enter" && this.focused >= 0) { event.preventDefault(); this.open(this.focused); }
  }

  open(row) {
    if (row < 0) return;
    const position = table.rows.indexOf(row);
    if (position >= 0) activate(position);
    openRow(row);
  }
}

function bindScatters() {
  const plots = [...document.querySelectorAll(".scatter")].map((box) => new ScatterPlot(box));
  const all = () => plots.forEach((plot) => plot.draw());
  new MutationObserver(all).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
  matchMedia("print").addEventListener("change", all);
}
