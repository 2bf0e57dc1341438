// What the columns of the case table show.
const MOST_SCORES = 8;

function scoreText(index, row) {
  const score = data.scores[index], state = score.states[row] ?? "-";
  if (state === "-") return null;
  if (state === "u") return ["unscored", "unscored"];
  if (state === "e") return ["errored", "errored"];
  return [SHAPE[state], figure(score.values[row])];
}

function scoreNode(index, row, named) {
  const found = scoreText(index, row);
  if (found === null) return make("span", "muted", named ? "" : "–");
  const [shape, text] = found;
  const node = make("span", "score", shape === "none" ? null : icon(shape, 13), named ? `${data.scores[index].name} ${text}` : text);
  return node;
}

function columnsFor() {
  const { cases, rows } = data;
  const known = (name) => rows[name].some((value) => value !== null);
  const repeated = rows.trial.some((number) => number > 1);
  const used = data.scores.map((score, index) => index).filter((index) =>
    query.suite < 0 || [...data.scores[index].states].some((state, row) => state !== "-" && cases.suite[rows.case[row]] === query.suite));
  const columns = [
    { key: "outcome", name: "Outcome", width: "96px", least: 96, node: (row) => outcomeNode(row) },
    { key: "id", name: "Case", width: "minmax(120px, 1fr)", least: 120, className: "id", node: (row) => linkNode(row) },
  ];
  if (repeated) columns.push({ key: "trial", name: "Trial", width: "44px", least: 44, className: "num", node: (row) => String(rows.trial[row] || "–") });
  if (data.suites.length > 1 && query.suite < 0) columns.push({ key: "suite", name: "Suite", width: "minmax(90px, 0.8fr)", least: 90, node: (row) => isolated(data.suites[cases.suite[rows.case[row]]]) });
  columns.push({ key: "text", name: "Input", width: "minmax(200px, 3fr)", least: 200, className: "text", node: (row) => isolated(cases.text[rows.case[row]]) });
  if (data.tags.length) columns.push({ key: "", name: "Tags", width: "minmax(56px, 0.6fr)", least: 56, className: "tags", node: (row) => isolated(cases.tags[rows.case[row]].map((tag) => data.tags[tag]).join(", ")) });
  for (const index of used.slice(0, MOST_SCORES)) {
    columns.push({ key: `score:${index}`, name: data.scores[index].name, width: "minmax(78px, 110px)", least: 78, className: "num", node: (row) => scoreNode(index, row) });
  }
  if (known("latency")) columns.push({ key: "latency", name: "Latency", width: "66px", least: 66, className: "num latency", node: (row) => seconds(rows.latency[row]) });
  if (known("tokens")) columns.push({ key: "tokens", name: "Tokens", width: "54px", least: 54, className: "num", node: (row) => figure(rows.tokens[row]) });
  if (known("cost")) columns.push({ key: "cost", name: "Cost", width: "84px", least: 84, className: "num", node: (row) => dollars(rows.cost[row]) });
  return { columns, used };
}

function outcomeNode(row) {
  const letter = data.rows.outcome[row];
  const node = make("span", "", icon(SHAPE[letter]), make("span", "", ` ${OUTCOME[letter]}`));
  return node;
}

function linkNode(row) {
  const link = make("a", "", data.cases.id[data.rows.case[row]]);
  link.href = addressOf(row);
  link.tabIndex = -1;
  link.dir = "auto";
  return link;
}

// What a card on a narrow screen says below the input.
function digestNode(row) {
  return make("span", "digest", ...table.used.slice(0, 3).map((index) => scoreNode(index, row, true)));
}

function addressOf(row) {
  const number = data.rows.case[row], trial = data.rows.trial[row];
  const suite = data.suites.length > 1 ? `&suite=${encoded(data.suites[data.cases.suite[number]])}` : "";
  return `#case-${encoded(data.cases.id[number])}${suite}${trial > 1 ? `&trial=${trial}` : ""}`;
}

