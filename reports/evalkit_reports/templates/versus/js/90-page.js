// What a comparison's page has besides: its filters, print, the start.
function refresh() {
  const held = table.rows[table.active];
  table.rows = selected();
  table.active = held === undefined ? -1 : table.rows.indexOf(held);
  $("table").scrollTop = 0;
  redraw();
  const filtered = query.words.length || query.kind || query.side >= 0 || query.suite >= 0 || query.tag >= 0;
  const all = `${whole.format(data.count)} ${data.count === 1 ? "row" : "rows"}`;
  $("count").textContent = filtered ? `${whole.format(table.rows.length)} of ${all}` : all;
  $("reset").hidden = !(filtered || query.sort);
}

let searching = 0;
async function search() {
  const turn = ++searching;
  query.words = wordsOf($("search").value);
  if (query.words.length && !texts.done) {
    $("count").textContent = "reading the contents…";
    await readTexts();
    if (turn !== searching) return;
  }
  refresh();
}

function sortBy(key, down) {
  query.sort = key;
  query.down = down;
  $("sort").value = key ? `${key}|${down ? "down" : "up"}` : "";
  drawHead();
  refresh();
}

function fillKinds() {
  const counts = Object.fromEntries(Object.keys(KINDS).map((name) => [name, 0]));
  let total = 0;
  for (let row = 0; row < data.count; row++) {
    if (query.side >= 0 && data.rows.side[row] !== query.side) continue;
    if (query.suite >= 0 && data.cases.suite[data.rows.case[row]] !== query.suite) continue;
    total++;
    for (const name in KINDS) if (KINDS[name][2](data.rows.kind[row])) counts[name]++;
  }
  const chips = [["", "all", null, total], ...Object.keys(KINDS).filter((name) => counts[name]).map((name) => [name, KINDS[name][0], KINDS[name][1], counts[name]])];
  $("kinds").replaceChildren(...chips.map(([name, word, shape, count]) => {
    const chip = button(`${word} ${whole.format(count)}`, "", () => { query.kind = name; press(); refresh(); });
    if (shape) chip.prepend(icon(shape, 13));
    chip.dataset.kind = name;
    return chip;
  }));
  press();
}

function press() {
  for (const chip of $("kinds").children) chip.setAttribute("aria-pressed", String(chip.dataset.kind === query.kind));
}

function fillTools() {
  const pick = (id, names) => {
    names.forEach((name, index) => $(id).append(option(index, name)));
    $(`${id}-pick`).hidden = names.length < (id === "tag" ? 1 : 2);
  };
  pick("side", data.letters);
  pick("suite", data.suites);
  pick("tag", data.tags);
  const sorts = [["", "newly failing first"], ["id|up", "case"]];
  data.scores.forEach((score, index) => {
    if (score.after.some((cell) => numberIn(cell) !== null)) sorts.push([`score:${index}|up`, `${score.name}, largest fall first`], [`score:${index}|down`, `${score.name}, largest rise first`]);
  });
  $("sort").replaceChildren(...sorts.map(([value, text]) => option(value, text)));
  fillKinds();
}

function bindTools() {
  $("search").addEventListener("input", search);
  $("search").addEventListener("focus", readTexts, { once: true });
  for (const id of ["side", "suite", "tag"]) {
    $(id).addEventListener("change", () => {
      query[id] = $(id).value === "" ? -1 : Number($(id).value);
      fillKinds();
      drawHead();
      refresh();
    });
  }
  $("sort").addEventListener("change", () => {
    const [key, way] = $("sort").value.split("|");
    sortBy(key, way === "down");
  });
  const form = document.querySelector(".tools");
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => {
    Object.assign(query, { words: [], kind: "", side: -1, suite: -1, tag: -1 });
    fillKinds();
    sortBy("", false);
  }));
}

const MOST_PRINTED = 500;
function bindPrint() {
  const fill = () => {
    const lines = table.rows.slice(0, MOST_PRINTED).map((row) => make("div", "line printed-line",
      kindNode(row),
      make("span", "", data.cases.id[data.rows.case[row]] + (data.letters.length > 1 ? ` (${data.letters[data.rows.side[row]]})` : "")),
      isolated(data.cases.text[data.rows.case[row]]),
      make("span", "few", ...table.used.slice(0, 3).map((index) => scoreNode(index, row, true))),
      outcomesNode(row)));
    if (table.rows.length > MOST_PRINTED) lines.push(make("p", "", `The first ${MOST_PRINTED} of ${whole.format(table.rows.length)} rows are printed; filter the table to print others.`));
    $("printed").replaceChildren(...lines);
  };
  addEventListener("beforeprint", fill);
  addEventListener("afterprint", () => $("printed").replaceChildren());
  matchMedia("print").addEventListener("change", (event) => { if (event.matches) fill(); else $("printed").replaceChildren(); });
}

function bindPage() {
  fillTools();
  drawHead();
  bindTools();
  bindTable();
  bindKeys();
  bindPrint();
  refresh();
}
