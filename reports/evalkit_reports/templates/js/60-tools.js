// The filters above the case table.
function refresh() {
  const held = table.rows[table.active];
  table.rows = selected();
  table.active = held === undefined ? -1 : table.rows.indexOf(held);
  $("table").scrollTop = 0;
  redraw();
  const filtered = isFiltered() || query.suite >= 0;
  const all = `${whole.format(data.count)} ${data.count === 1 ? "row" : "rows"}`;
  $("count").textContent = filtered ? `${whole.format(table.rows.length)} of ${all}` : all;
  $("reset").hidden = !(filtered || query.sort);
}

function isFiltered() {
  return query.words.length || query.outcome || query.tag >= 0 || query.changed || query.score >= 0 || query.only;
}

let searching = 0;
async function search() {
  const turn = ++searching;
  query.words = wordsOf($("search").value);
  if (query.words.length && !texts.done) {
    const what = data.sides ? `${whole.format(data.sides.files.length)} side files` : "the contents";
    texts.told = (share) => { if (query.words.length) $("count").textContent = `reading ${what}: ${Math.floor(100 * share)}%`; };
    texts.told(0);
    try { await readTexts(); } catch (error) { texts.ready = null; complain(`The search needs all contents: ${error.message}.`); }
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

function fillOutcomes() {
  const counts = {};
  for (let row = 0; row < data.count; row++) {
    if (query.suite < 0 || data.cases.suite[data.rows.case[row]] === query.suite) {
      counts[data.rows.outcome[row]] = (counts[data.rows.outcome[row]] ?? 0) + 1;
    }
  }
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const chips = [["", "all", total], ...Object.keys(OUTCOME).filter((letter) => counts[letter]).map((letter) => [letter, OUTCOME[letter], counts[letter]])];
  $("outcomes").replaceChildren(...chips.map(([letter, name, count]) => {
    const chip = button(`${name} ${whole.format(count)}`, "", () => { query.outcome = letter; press(); refresh(); });
    if (letter) chip.prepend(icon(SHAPE[letter], 13));
    chip.dataset.outcome = letter;
    return chip;
  }));
  press();
}

function press() {
  for (const chip of $("outcomes").children) chip.setAttribute("aria-pressed", String(chip.dataset.outcome === query.outcome));
}

// Only these rows, as another part of the page chose them: `told` says which they are.
function showOnly(rows, told) {
  query.only = rows ? { rows: new Set(rows), told } : null;
  $("only").hidden = !rows;
  $("only").replaceChildren(...(rows ? [isolated(told), button("✕", "quiet", () => showOnly(null), "Show the others again")] : []));
  refresh();
  if (rows) $("cases").scrollIntoView();
}

function fillTools() {
  data.tags.forEach((tag, index) => $("tag").append(option(index, tag)));
  $("tag-pick").hidden = !data.tags.length;
  if (data.changed) {
    const counts = {};
    for (const letter of data.changed) counts[letter] = (counts[letter] ?? 0) + 1;
    for (const letter of Object.keys(CHANGED)) if (counts[letter]) $("changed").append(option(letter, `${CHANGED[letter]} ${whole.format(counts[letter])}`));
  }
  $("changed-pick").hidden = !data.changed;
  const all = data.scores.map((score, index) => index);
  const numeric = all.filter((index) => data.scores[index].values.some((value) => typeof value === "number"));
  for (const index of all) if (numeric.includes(index) || data.scores[index].labels) $("score").append(option(index, data.scores[index].name));
  $("score-pick").hidden = $("score").options.length < 2;
  const sorts = [["", "as run"], ["outcome|up", "worst outcome first"], ["id|up", "case"]];
  for (const index of numeric) sorts.push([`score:${index}|up`, `${data.scores[index].name}, lowest first`], [`score:${index}|down`, `${data.scores[index].name}, highest first`]);
  sorts.push(["latency|down", "slowest first"], ["tokens|down", "most tokens first"], ["cost|down", "dearest first"], ["length|down", "longest output first"]);
  $("sort").replaceChildren(...sorts.map(([value, text]) => option(value, text)));
  fillOutcomes();
}

// A score has a range of values, or labels, or both.
function fillScore() {
  const score = data.scores[query.score];
  const ranged = score === undefined || score.values.some((value) => typeof value === "number");
  for (const part of document.querySelectorAll(".ranged")) part.hidden = !ranged;
  $("label-pick").hidden = !score?.labels;
  $("label").replaceChildren(option("", "any"), ...(score?.labels ?? []).map((label, index) => option(index, label)));
}

function readScore() {
  query.score = $("score").value === "" ? -1 : Number($("score").value);
  query.label = -1;
  fillScore();
  readRange();
}

function readRange() {
  const read = (id) => ($(id).value === "" || Number.isNaN(Number($(id).value)) ? null : Number($(id).value));
  query.from = read("from");
  query.below = read("below");
  refresh();
}

function pickScore(name, from, below) {
  const index = data.scores.findIndex((score) => score.name === name);
  if (index < 0) return false;
  $("score").value = String(index);
  $("from").value = from ?? "";
  $("below").value = below ?? "";
  readScore();
  return true;
}

function bindTools() {
  $("search").addEventListener("input", search);
  if (!data.sides) $("search").addEventListener("focus", readTexts, { once: true });
  const picked = (id) => ($(id).value === "" ? -1 : Number($(id).value));
  $("tag").addEventListener("change", () => { query.tag = picked("tag"); refresh(); });
  $("changed").addEventListener("change", () => { query.changed = $("changed").value; refresh(); });
  $("label").addEventListener("change", () => { query.label = picked("label"); refresh(); });
  $("score").addEventListener("change", readScore);
  for (const id of ["from", "below"]) $(id).addEventListener("input", readRange);
  $("sort").addEventListener("change", () => {
    const [key, way] = $("sort").value.split("|");
    sortBy(key, way === "down");
  });
  const form = document.querySelector(".tools");
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => {
    Object.assign(query, NO_FILTER);
    press();
    fillScore();
    showOnly(null);
    sortBy("", false);
  }));
}
