// What differs between two texts, word by word: pieces [mark, text], the mark " ", "-" or "+".
const LONGEST_DIFF = 200000; // characters of both texts together
const MOST_EDITS = 1200;

const WORDS = /\s+|[\p{L}\p{N}\p{M}_]+|\p{Extended_Pictographic}[\u200d\ufe0f\p{Emoji_Modifier}\p{Extended_Pictographic}]*|[^\s]/gu;
const WITHOUT_SPACES = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u; // words have to be looked up, which is slow
const segmenter = typeof Intl.Segmenter === "function" ? new Intl.Segmenter("en", { granularity: "word" }) : null;

function wordsIn(text) {
  if (segmenter !== null && WITHOUT_SPACES.test(text)) return Array.from(segmenter.segment(text), (part) => part.segment);
  return text.match(WORDS) ?? [];
}

function wordDiff(before, after) {
  if (before === after) return before ? [[" ", before]] : [];
  if (before.length + after.length > LONGEST_DIFF) return joinedPieces([["-", before], ["+", after]]);
  const a = wordsIn(before), b = wordsIn(after);
  let head = 0, tail = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const middle = editsOf(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  return joinedPieces([...a.slice(0, head).map((word) => [" ", word]), ...middle, ...a.slice(a.length - tail).map((word) => [" ", word])]);
}

// The shortest way from one list of words to the other (Myers 1986); all at once where it would be too long.
function editsOf(a, b) {
  const whole = () => [["-", a.join("")], ["+", b.join("")]];
  const most = Math.min(a.length + b.length, MOST_EDITS), middle = most + 1;
  const reached = new Int32Array(2 * most + 3), history = [];
  for (let edits = 0; edits <= most; edits++) {
    history.push(reached.slice(middle - edits - 1, middle + edits + 2));
    for (let k = -edits; k <= edits; k += 2) {
      let x = k === -edits || (k !== edits && reached[middle + k - 1] < reached[middle + k + 1]) ? reached[middle + k + 1] : reached[middle + k - 1] + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      reached[middle + k] = x;
      if (x >= a.length && x - k >= b.length) return walkedBack(a, b, history, edits, k);
    }
  }
  return whole();
}

function walkedBack(a, b, history, edits, k) {
  const pieces = [];
  let x = a.length, y = b.length;
  for (let step = edits; step > 0; step--) {
    const known = history[step], at = (diagonal) => known[diagonal + step + 1];
    const down = k === -step || (k !== step && at(k - 1) < at(k + 1));
    const from = down ? k + 1 : k - 1, start = at(from);
    while (x > (down ? start : start + 1)) { pieces.push([" ", a[--x]]); y--; }
    pieces.push(down ? ["+", b[--y]] : ["-", a[--x]]);
    k = from;
  }
  while (x > 0) pieces.push([" ", a[--x]]);
  return pieces.reverse();
}

// Neighbours of one mark together; a single space between two changes belongs to both.
function joinedPieces(pieces) {
  const found = [];
  let gone = "", come = "";
  const flush = () => {
    if (gone) found.push(["-", gone]);
    if (come) found.push(["+", come]);
    gone = come = "";
  };
  pieces.forEach(([mark, text], place) => {
    if (mark === "-") gone += text;
    else if (mark === "+") come += text;
    else if (text === " " && (gone || come) && place + 1 < pieces.length && pieces[place + 1][0] !== " ") { gone += text; come += text; }
    else {
      flush();
      if (found.length && found[found.length - 1][0] === " ") found[found.length - 1][1] += text;
      else found.push([" ", text]);
    }
  });
  flush();
  return found;
}

// One side of a difference, or with side "" both in one text.
function diffNodes(pieces, side, className = "prose") {
  const out = make("div", `${className} diff`);
  out.dir = className === "code" ? "ltr" : "auto";
  for (const [mark, text] of pieces) {
    if (mark === " ") out.append(text);
    else if (side === "" || mark === side) out.append(make(mark === "-" ? "del" : "ins", "", text));
  }
  return out;
}

// The text in which two values are held against each other: JSON laid out, everything else as it is.
function textForDiff(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  return value[0] === "json" ? jsonNodes(value[1]).textContent : value[1];
}
