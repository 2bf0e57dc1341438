// Which rows are shown, and in what order.
const NO_FILTER = { words: [], outcome: "", tag: -1, changed: "", score: -1, from: null, below: null, label: -1, only: null };
const query = { ...NO_FILTER, suite: -1, sort: "", down: false };

// What became of a case since the baseline.
const CHANGED = { w: "newly failing", b: "newly passing", d: "another output", s: "the same output", n: "not in the baseline" };

function keepTexts(number, item) {
  const tags = data.cases.tags[number].map((tag) => data.tags[tag]);
  const suite = data.suites[data.cases.suite[number]];
  const own = [data.cases.id[number], suite, ...tags, plainText(item.input), plainText(item.expected), plainText(item.metadata)];
  texts.cases[number] = own.join("\n").toLowerCase();
  item.trials.forEach((trial, place) => {
    const said = [plainText(trial.value), trial.trace ?? "", trial.nodeid ?? "", ...errorTexts(trial.error), ...traceTexts(trial.spans)];
    for (const [name, , , label, explanation, , , error] of trial.scores) {
      said.push(name, label ?? "", plainText(explanation), ...errorTexts(error));
    }
    texts.rows[data.firstRow[number] + place] = said.join("\n").toLowerCase();
  });
}

// What was said on the way to the output, and what each step was called, was given and gave.
function traceTexts(trace) {
  const steps = trace?.spans.flatMap(([, , name, , , , { arguments: given, result, error }]) => [name, given, result, error]) ?? [];
  return [...(trace?.said ?? []), ...steps].map(plainText);
}

function matches(row) {
  const number = data.rows.case[row];
  if (query.suite >= 0 && data.cases.suite[number] !== query.suite) return false;
  if (query.outcome && data.rows.outcome[row] !== query.outcome) return false;
  if (query.tag >= 0 && !data.cases.tags[number].includes(query.tag)) return false;
  if (query.changed && data.changed[number] !== query.changed) return false;
  if (query.only && !query.only.rows.has(row)) return false;
  if (query.label >= 0 && data.scores[query.score].given?.[row] !== query.label) return false;
  if (query.score >= 0 && (query.from !== null || query.below !== null)) {
    const value = data.scores[query.score].values[row];
    if (typeof value !== "number") return false;
    if (query.from !== null && value < query.from) return false;
    if (query.below !== null && value >= query.below) return false;
  }
  for (const word of query.words) {
    if (!texts.cases[number]?.includes(word) && !texts.rows[row]?.includes(word)) return false;
  }
  return true;
}

const SEVERITY = { e: 0, m: 1, u: 2, n: 3, p: 4 };

function sortKey(name) {
  const { rows, cases, scores, suites } = data;
  if (name === "outcome") return (row) => SEVERITY[rows.outcome[row]];
  if (name === "id") return (row) => cases.id[rows.case[row]];
  if (name === "suite") return (row) => suites[cases.suite[rows.case[row]]];
  if (name === "text") return (row) => cases.text[rows.case[row]];
  if (name.startsWith("score:")) return (row) => scores[Number(name.slice(6))].values[row];
  return (row) => rows[name][row];
}

function selected() {
  const found = [];
  for (let row = 0; row < data.count; row++) if (matches(row)) found.push(row);
  if (!query.sort) return found;
  const key = sortKey(query.sort), sign = query.down ? -1 : 1;
  const keyed = found.map((row) => [row, key(row) ?? null]);
  keyed.sort(([a, left], [b, right]) => {
    if (left === right) return a - b;
    if (left === null || right === null) return left === null ? 1 : -1; // what is not known comes last, either way
    const order = typeof left === "number" && typeof right === "number" ? left - right : collator.compare(String(left), String(right));
    return order * sign || a - b;
  });
  return keyed.map(([row]) => row);
}
