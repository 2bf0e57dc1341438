// Which cases are shown, and in what order. A row is a case in one candidate.
const NEWLY_FAILING = 1, NEWLY_PASSING = 2, SCORED = 4, SAID = 8, ONLY_BASE = 16, ONLY_CANDIDATE = 32;
const query = { words: [], kind: "", side: -1, suite: -1, tag: -1, sort: "", down: false };

const KINDS = {
  failing: ["newly failing", "worse", (kind) => kind & NEWLY_FAILING],
  passing: ["newly passing", "better", (kind) => kind & NEWLY_PASSING],
  scored: ["score changed", "scored", (kind) => kind & SCORED],
  said: ["output changed", "said", (kind) => kind & SAID],
  same: ["the same", "same", (kind) => kind === 0],
  alone: ["unpaired", "alone", (kind) => kind & (ONLY_BASE | ONLY_CANDIDATE)],
};

// The one word for a row: the first that holds.
function kindOf(row) {
  const kind = data.rows.kind[row];
  if (kind & ONLY_BASE) return ["only in base", "alone", 3];
  if (kind & ONLY_CANDIDATE) return ["only in candidate", "alone", 3];
  const places = { failing: 0, passing: 1, scored: 2, said: 4, same: 5 };
  const name = Object.keys(places).find((key) => KINDS[key][2](kind));
  return [KINDS[name][0], KINDS[name][1], places[name]];
}

function keepTexts(number, item) {
  const tags = data.cases.tags[number].map((tag) => data.tags[tag]);
  const said = [data.cases.id[number], data.suites[data.cases.suite[number]], ...tags, plainText(item.input), plainText(item.expected), plainText(item.metadata)];
  for (const trial of [item.trials, ...item.sides].flat()) {
    said.push(plainText(trial.value), trial.trace ?? "", ...errorTexts(trial.error));
    for (const [name, , , label, explanation, , , error] of trial.scores) said.push(name, label ?? "", plainText(explanation), ...errorTexts(error));
  }
  texts.cases[number] = said.join("\n").toLowerCase();
}

function matches(row) {
  const number = data.rows.case[row];
  if (query.side >= 0 && data.rows.side[row] !== query.side) return false;
  if (query.suite >= 0 && data.cases.suite[number] !== query.suite) return false;
  if (query.kind && !KINDS[query.kind][2](data.rows.kind[row])) return false;
  if (query.tag >= 0 && !data.cases.tags[number].includes(query.tag)) return false;
  return query.words.every((word) => texts.cases[number]?.includes(word));
}

function numberIn(cell) {
  return cell && typeof cell[1] === "number" ? cell[1] : null;
}

function sortKey(name) {
  if (name === "outcome") return (row) => kindOf(row)[2];
  if (name === "id") return (row) => data.cases.id[data.rows.case[row]];
  if (name === "side") return (row) => data.rows.side[row];
  if (name === "text") return (row) => data.cases.text[data.rows.case[row]];
  const score = data.scores[Number(name.slice(6))];
  return (row) => {
    const before = numberIn(score.before[row]), after = numberIn(score.after[row]);
    return before === null || after === null ? null : after - before;
  };
}

function selected() {
  const found = [];
  for (let row = 0; row < data.count; row++) if (matches(row)) found.push(row);
  const key = sortKey(query.sort || "outcome"), sign = query.down ? -1 : 1;
  const keyed = found.map((row) => [row, key(row) ?? null]);
  keyed.sort(([a, left], [b, right]) => {
    if (left === right) return a - b;
    if (left === null || right === null) return left === null ? 1 : -1; // what is not known comes last, either way
    const order = typeof left === "number" && typeof right === "number" ? left - right : collator.compare(String(left), String(right));
    return order * sign || a - b;
  });
  return keyed.map(([row]) => row);
}
