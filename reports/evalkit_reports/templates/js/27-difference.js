// What differs between two texts, word by word: what only the one has is struck, what only the other has is underlined.
const DIFFERENCE_LIMIT = 4000; // words on a side that differ; above it, lines are compared
const WORDS = /\s+|[\p{L}\p{N}\p{M}_]+|[^\s\p{L}\p{N}\p{M}_]/gu;

// The pieces of both, in order: ["same" | "gone" | "new", text].
function differencePieces(before, after) {
  const words = (text) => text.match(WORDS) ?? [];
  const lines = (text) => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  let [a, b] = [words(before), words(after)];
  const [head, tail] = commonEnds(a, b);
  if (Math.max(a.length, b.length) - head - tail > DIFFERENCE_LIMIT) [a, b] = [lines(before), lines(after)];
  return joined(shortestEdit(a, b));
}

function commonEnds(a, b) {
  const least = Math.min(a.length, b.length);
  let head = 0, tail = 0;
  while (head < least && a[head] === b[head]) head++;
  while (tail < least - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  return [head, tail];
}

// Myers (1986), "An O(ND) difference algorithm". Beyond so many edits the middle is taken for wholly different.
const MOST_EDITS = 1200;
function shortestEdit(a, b) {
  const [head, tail] = commonEnds(a, b);
  const ends = [a.slice(0, head), a.slice(a.length - tail)];
  const left = a.slice(head, a.length - tail), right = b.slice(head, b.length - tail);
  const middle = editMiddle(left, right) ?? [...left.map((word) => ["gone", word]), ...right.map((word) => ["new", word])];
  const same = (words) => words.map((word) => ["same", word]);
  return [...same(ends[0]), ...middle, ...same(ends[1])];
}

function editMiddle(a, b) {
  const n = a.length, m = b.length, most = Math.min(n + m, MOST_EDITS);
  const offset = most + 1;
  let reached = new Int32Array(2 * most + 3);
  const steps = [];
  for (let d = 0; d <= most; d++) {
    steps.push(reached.slice(offset - d - 1, offset + d + 2));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && reached[offset + k - 1] < reached[offset + k + 1]);
      let x = down ? reached[offset + k + 1] : reached[offset + k - 1] + 1;
      let y = x - k;
      while (x < n && y < m && a[x] === b[y]) { x++; y++; }
      reached[offset + k] = x;
      if (x >= n && y >= m) return editPath(a, b, steps, d);
    }
  }
  return null;
}

function editPath(a, b, steps, edits) {
  const pieces = [];
  let x = a.length, y = b.length;
  for (let d = edits; d >= 0; d--) {
    const row = steps[d], at = (k) => row[k + d + 1], k = x - y;
    const down = k === -d || (k !== d && at(k - 1) < at(k + 1));
    const from = down ? k + 1 : k - 1;
    const startX = d === 0 ? 0 : at(from), startY = d === 0 ? 0 : startX - from;
    while (x > startX && y > startY && x > 0 && y > 0 && a[x - 1] === b[y - 1]) pieces.push(["same", a[--x], y--]);
    if (d === 0) break;
    if (down) pieces.push(["new", b[--y]]); else pieces.push(["gone", a[--x]]);
  }
  return pieces.reverse();
}

function joined(pieces) {
  const out = [];
  for (const [kind, word] of pieces) {
    const last = out[out.length - 1];
    if (last?.[0] === kind) last[1] += word; else out.push([kind, word]);
  }
  return out;
}

// How much of both is the same, from 0 to 1.
function likeness(pieces) {
  let same = 0, all = 0;
  for (const [kind, text] of pieces) {
    const size = text.length * (kind === "same" ? 2 : 1);
    all += size;
    if (kind === "same") same += size;
  }
  return all ? same / all : 1;
}

function differenceNodes(before, after) {
  const pieces = differencePieces(before, after);
  const out = make("div", "prose difference");
  out.dir = "auto";
  if (pieces.every(([kind]) => kind === "same")) {
    out.append(make("p", "nothing", "Both are the same, character by character."));
    return out;
  }
  for (const [kind, text] of pieces) {
    if (kind === "same") { out.append(text); continue; }
    const piece = make(kind === "gone" ? "del" : "ins", "", text);
    out.append(piece);
  }
  return out;
}
