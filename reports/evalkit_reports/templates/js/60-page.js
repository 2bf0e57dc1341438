// What a run's page has besides: filters, suites, print.
function refresh() {
  const held = table.rows[table.active];
  table.rows = selected();
  table.active = held === undefined ? -1 : table.rows.indexOf(held);
  $("table").scrollTop = 0;
  redraw();
  const filtered = query.words.length || query.outcome || query.tag >= 0 || query.score >= 0 || query.suite >= 0;
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

function fillTools() {
  data.tags.forEach((tag, index) => $("tag").append(option(index, tag)));
  $("tag-pick").hidden = !data.tags.length;
  const numeric = data.scores.map((score, index) => index).filter((index) => data.scores[index].values.some((value) => typeof value === "number"));
  for (const index of numeric) $("score").append(option(index, data.scores[index].name));
  $("score-pick").hidden = !numeric.length;
  const sorts = [["", "as run"], ["outcome|up", "worst outcome first"], ["id|up", "case"]];
  for (const index of numeric) sorts.push([`score:${index}|up`, `${data.scores[index].name}, lowest first`], [`score:${index}|down`, `${data.scores[index].name}, highest first`]);
  sorts.push(["latency|down", "slowest first"], ["tokens|down", "most tokens first"], ["cost|down", "dearest first"]);
  $("sort").replaceChildren(...sorts.map(([value, text]) => option(value, text)));
  fillOutcomes();
}

function readRange() {
  const read = (id) => ($(id).value === "" || Number.isNaN(Number($(id).value)) ? null : Number($(id).value));
  query.score = $("score").value === "" ? -1 : Number($("score").value);
  query.from = read("from");
  query.below = read("below");
  refresh();
}

function pickSuite(number) {
  query.suite = number;
  query.outcome = "";
  for (const tab of document.querySelectorAll("[role=tab]")) {
    const on = tab.dataset.suite === (number < 0 ? "all" : String(number));
    tab.setAttribute("aria-selected", String(on));
    tab.tabIndex = on ? 0 : -1;
  }
  for (const section of document.querySelectorAll(".suite")) section.hidden = Number(section.dataset.number) !== number;
  document.querySelector(".overview").parentElement.hidden = number >= 0;
  fillOutcomes();
  drawHead();
  refresh();
}

function fillTabs() {
  const tabs = [...document.querySelectorAll("[role=tab]")];
  if (!tabs.length) return;
  tabs[0].parentElement.hidden = false;
  const numberOf = (element) => (element.dataset.suite === "all" ? -1 : Number(element.dataset.suite));
  tabs.forEach((tab, place) => {
    tab.addEventListener("click", () => pickSuite(numberOf(tab)));
    tab.addEventListener("keydown", (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!by) return;
      const next = tabs[(place + by + tabs.length) % tabs.length];
      next.focus();
      pickSuite(numberOf(next));
    });
  });
  for (const link of document.querySelectorAll("a[data-suite]")) {
    link.addEventListener("click", (event) => { event.preventDefault(); pickSuite(numberOf(link)); tabs[numberOf(link) + 1].focus(); });
  }
  pickSuite(-1);
}

function bindTools() {
  $("search").addEventListener("input", search);
  $("search").addEventListener("focus", readTexts, { once: true });
  $("tag").addEventListener("change", () => { query.tag = $("tag").value === "" ? -1 : Number($("tag").value); refresh(); });
  for (const id of ["score", "from", "below"]) $(id).addEventListener("input", readRange);
  $("sort").addEventListener("change", () => {
    const [key, way] = $("sort").value.split("|");
    sortBy(key, way === "down");
  });
  const form = document.querySelector(".tools");
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => {
    Object.assign(query, { words: [], outcome: "", tag: -1, score: -1, from: null, below: null });
    press();
    sortBy("", false);
  }));
  // A bar of a histogram is a range of scores.
  for (const bin of document.querySelectorAll("[data-score] .bin")) {
    bin.addEventListener("click", () => {
      const name = bin.closest("[data-score]").dataset.score;
      const index = data.scores.findIndex((score) => score.name === name);
      if (index < 0 || bin.dataset.low === undefined) return;
      $("score").value = String(index);
      $("from").value = bin.dataset.low;
      $("below").value = bin.dataset.below ?? "";
      readRange();
      $("cases").scrollIntoView();
    });
  }
}

const MOST_PRINTED = 500;
function bindPrint() {
  const fill = () => {
    const lines = table.rows.slice(0, MOST_PRINTED).map((row) => make("div", "line",
      outcomeNode(row),
      make("span", "", data.cases.id[data.rows.case[row]] + (data.rows.trial[row] > 1 ? ` (trial ${data.rows.trial[row]})` : "")),
      isolated(data.cases.text[data.rows.case[row]]),
      make("span", "few", ...table.used.slice(0, 4).map((index) => scoreNode(index, row, true))),
      make("span", "", seconds(data.rows.latency[row]))));
    if (table.rows.length > MOST_PRINTED) lines.push(make("p", "", `The first ${MOST_PRINTED} of ${whole.format(table.rows.length)} rows are printed; filter the table to print others.`));
    $("printed").replaceChildren(...lines);
  };
  addEventListener("beforeprint", fill);
  addEventListener("afterprint", () => $("printed").replaceChildren());
  matchMedia("print").addEventListener("change", (event) => { if (event.matches) fill(); else $("printed").replaceChildren(); });
}

async function start() {
  bindTheme();
  document.documentElement.classList.add("js");
  for (const command of document.querySelectorAll(".command")) {
    const text = command.querySelector("pre").textContent;
    command.append(copyButton(() => text));
  }
  if (typeof DecompressionStream === "undefined") {
    $("rows").replaceChildren();
    complain("This browser is too old to unpack the cases. Everything above is complete.");
    return;
  }
  await data.open();
  fillTools();
  drawHead();
  bindTools();
  bindTable();
  bindKeys();
  bindPrint();
  fillTabs();
  if (data.suites.length < 2) refresh();
  addEventListener("hashchange", followHash);
  addEventListener("popstate", followHash);
  followHash();
  document.documentElement.dataset.ready = "yes";
  setTimeout(readTexts, 200);
}

start().catch((error) => { complain(`The cases cannot be shown: ${error}`); throw error; });
