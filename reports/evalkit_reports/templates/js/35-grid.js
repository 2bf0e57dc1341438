// A table of which only the rows in view exist. `columnsFor` and `digestNode` say what is in it.
const table = { rows: [], active: -1, columns: [], drawn: new Map(), height: 40 };

function isolated(text) {
  const node = make("span", "", text);
  node.dir = "auto";
  return node;
}

function encoded(text) {
  return encodeURIComponent(text.toWellFormed ? text.toWellFormed() : text);
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
  node.append(digestNode(row));
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
  else { body.style.height = ""; body.append(emptyRow("No case matches these filters.")); }
}

function emptyRow(text) { // a table holds rows and nothing else, even when it has nothing to show
  const cell = make("span", "", text), row = make("div", "empty", cell);
  cell.setAttribute("role", "gridcell");
  row.setAttribute("role", "row");
  return row;
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
