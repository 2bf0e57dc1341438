// The case table: only the rows in view exist.
const table = { rows: [], active: -1, columns: [], drawn: new Map(), height: 40 };
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
  if (known("cost")) columns.push({ key: "cost", name: "Cost", width: "66px", least: 66, className: "num", node: (row) => dollars(rows.cost[row]) });
  return { columns, used };
}

function isolated(text) {
  const node = make("span", "", text);
  node.dir = "auto";
  return node;
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

function encoded(text) {
  return encodeURIComponent(text.toWellFormed ? text.toWellFormed() : text);
}

function addressOf(row) {
  const number = data.rows.case[row], trial = data.rows.trial[row];
  const suite = data.suites.length > 1 ? `&suite=${encoded(data.suites[data.cases.suite[number]])}` : "";
  return `#case-${encoded(data.cases.id[number])}${suite}${trial > 1 ? `&trial=${trial}` : ""}`;
}

function drawHead() {
  const { columns, used } = columnsFor();
  table.columns = columns;
  table.used = used;
  const grid = $("table");
  grid.style.setProperty("--columns", columns.map((column) => column.width).join(" "));
  grid.style.setProperty("--least", `${columns.reduce((sum, column) => sum + column.least + 12, 12)}px`);
  $("head").replaceChildren(...columns.map((column) => {
    const cell = make("span", column.className?.includes("num") ? "num" : "");
    cell.setAttribute("role", "columnheader");
    if (!column.key) { cell.append(make("span", "muted", column.name)); return cell; }
    const sort = button(column.name, "", () => sortBy(column.key, query.sort === column.key ? !query.down : false));
    sort.title = `Sort by ${column.name}`;
    if (query.sort === column.key) cell.setAttribute("aria-sort", query.down ? "descending" : "ascending");
    cell.append(sort);
    return cell;
  }));
}

function drawRow(position) {
  const row = table.rows[position];
  const node = make("div", "row");
  node.setAttribute("role", "row");
  node.setAttribute("aria-rowindex", position + 2);
  node.id = `row-${position}`;
  node.dataset.row = row;
  for (const column of table.columns) {
    const cell = make("span", `${column.className ?? ""} ${column.key === "outcome" ? "outcome" : ""}`, column.node(row));
    cell.setAttribute("role", "gridcell");
    node.append(cell);
  }
  node.append(make("span", "digest", ...table.used.slice(0, 3).map((index) => scoreNode(index, row, true))));
  node.style.top = `${position * table.height}px`;
  if (position === table.active) markActive(node, true);
  return node;
}

function markActive(node, on) {
  node.classList.toggle("active", on);
  node.setAttribute("aria-selected", String(on));
}

function drawRows() {
  const grid = $("table"), top = grid.scrollTop, seen = grid.clientHeight;
  const first = Math.max(0, Math.floor(top / table.height) - 8);
  const last = Math.min(table.rows.length, Math.ceil((top + seen) / table.height) + 8);
  for (const [position, node] of table.drawn) {
    if (position < first || position >= last) { node.remove(); table.drawn.delete(position); }
  }
  const fresh = document.createDocumentFragment();
  for (let position = first; position < last; position++) {
    if (table.drawn.has(position)) continue;
    const node = drawRow(position);
    table.drawn.set(position, node);
    fresh.append(node);
  }
  $("rows").append(fresh);
}

function redraw() {
  const grid = $("table"), body = $("rows");
  table.height = parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--row")) || 40;
  table.drawn.clear();
  body.replaceChildren();
  body.style.height = `${table.rows.length * table.height}px`;
  grid.setAttribute("aria-rowcount", table.rows.length + 1);
  if (table.rows.length) drawRows();
  else { body.style.height = ""; body.append(make("p", "empty", "No case matches these filters.")); }
}

function activate(position, scroll = true) {
  if (!table.rows.length) return;
  const before = table.drawn.get(table.active);
  if (before) markActive(before, false);
  table.active = Math.min(Math.max(position, 0), table.rows.length - 1);
  if (scroll) {
    const grid = $("table"), head = $("head").offsetHeight;
    const top = table.active * table.height;
    if (top < grid.scrollTop) grid.scrollTop = top;
    else if (top + table.height + head > grid.scrollTop + grid.clientHeight) grid.scrollTop = top + table.height + head - grid.clientHeight;
    drawRows();
  }
  const node = table.drawn.get(table.active);
  if (node) markActive(node, true);
  $("table").setAttribute("aria-activedescendant", `row-${table.active}`);
}
