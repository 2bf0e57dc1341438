// What the columns of a comparison show.
const MOST_SCORES = 5;

function outcomeStep(found) {
  if (found === null) return make("span", "muted", "not run");
  const letter = Array.isArray(found) ? found[0] : found;
  const text = Array.isArray(found) ? `${found[1]} of ${found[2]} passed` : OUTCOME[letter];
  return make("span", "step", icon(SHAPE[letter], 13), text);
}

function outcomesNode(row) {
  const { before, after } = data.rows;
  return make("span", "", outcomeStep(before[row]), make("span", "arrow", "→"), outcomeStep(after[row]));
}

function cellText(cell) {
  if (!cell) return "–";
  if (cell[0] === "u") return "unscored";
  if (cell[0] === "e") return "errored";
  return figure(cell[1]);
}

function scoreNode(index, row, named) {
  const score = data.scores[index], before = score.before[row] ?? null, after = score.after[row] ?? null;
  if (!before && !after) return make("span", "muted", named ? "" : "–");
  const from = cellText(before), to = cellText(after), name = named ? `${score.name} ` : "";
  if (from === to) return make("span", "score muted", name + to);
  const node = make("span", "score", after && SHAPE[after[0]] !== "none" ? icon(SHAPE[after[0]], 13) : null, `${name}${from} → ${to}`);
  return node;
}

function kindNode(row) {
  const [word, shape] = kindOf(row);
  return make("span", "", icon(shape), make("span", "", ` ${word}`));
}

function linkNode(row) {
  const link = make("a", "", data.cases.id[data.rows.case[row]]);
  link.href = addressOf(row);
  link.tabIndex = -1;
  link.dir = "auto";
  return link;
}

function addressOf(row) {
  const number = data.rows.case[row];
  const suite = data.suites.length > 1 ? `&suite=${encoded(data.suites[data.cases.suite[number]])}` : "";
  const side = data.letters.length > 1 ? `&run=${encoded(data.letters[data.rows.side[row]])}` : "";
  return `#case-${encoded(data.cases.id[number])}${suite}${side}`;
}

function columnsFor() {
  const used = data.scores.map((score, index) => index).slice(0, MOST_SCORES);
  const columns = [
    { key: "outcome", name: "What became of it", width: "138px", least: 138, node: kindNode },
    { key: "id", name: "Case", width: "minmax(110px, 1fr)", least: 110, className: "id", node: linkNode },
  ];
  if (data.letters.length > 1) columns.push({ key: "side", name: "Run", width: "36px", least: 36, node: (row) => data.letters[data.rows.side[row]] });
  if (data.suites.length > 1 && query.suite < 0) columns.push({ key: "", name: "Suite", width: "minmax(80px, 0.7fr)", least: 80, node: (row) => isolated(data.suites[data.cases.suite[data.rows.case[row]]]) });
  columns.push({ key: "text", name: "Input", width: "minmax(180px, 2.6fr)", least: 180, className: "text", node: (row) => isolated(data.cases.text[data.rows.case[row]]) });
  columns.push({ key: "", name: "Outcome, base → candidate", width: "minmax(178px, 0.9fr)", least: 178, className: "latency", node: outcomesNode });
  for (const index of used) {
    columns.push({ key: `score:${index}`, name: data.scores[index].name, width: "minmax(100px, 124px)", least: 100, className: "num", node: (row) => scoreNode(index, row) });
  }
  return { columns, used };
}

function digestNode(row) {
  return make("span", "digest", kindOf(row)[0], ...table.used.slice(0, 2).map((index) => scoreNode(index, row, true)));
}
