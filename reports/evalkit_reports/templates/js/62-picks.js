// Whatever stands above the table and names cases leads to them: bars, labels, changes, flaky cases.
function rowsWhere(suite, holds) {
  const found = [];
  for (let row = 0; row < data.count; row++) {
    if ((suite < 0 || data.cases.suite[data.rows.case[row]] === suite) && holds(row)) found.push(row);
  }
  return found;
}

const PICKS = {
  bin({ score, low, below }) { if (low !== undefined && pickScore(score, low, below)) $("cases").scrollIntoView(); },
  labels({ score, suite, expected, given }) {
    const column = data.scores.find((one) => one.name === score);
    const place = (label) => (label === undefined ? null : column.labels.indexOf(label));
    const truth = place(expected), said = place(given);
    const told = [expected === undefined ? "" : `expected ${expected}`, given === undefined ? "" : `got ${given}`].filter(Boolean).join(", ");
    showOnly(rowsWhere(Number(suite), (row) => (truth === null || column.truth[row] === truth) && (said === null || column.given[row] === said)), `${score}: ${told}`);
  },
  changed({ letter, suite }) {
    showOnly(rowsWhere(Number(suite), (row) => data.changed[data.rows.case[row]] === letter), `${CHANGED[letter]} since the baseline`);
  },
  flaky({ score, suite }) {
    const states = data.scores.find((one) => one.name === score)?.states ?? "";
    const seen = new Map();
    for (let row = 0; row < data.count; row++) {
      const letter = "pf".includes(states[row] ?? "-") ? states[row] : data.rows.outcome[row] === "e" ? "f" : "";
      if (letter) seen.set(data.rows.case[row], (seen.get(data.rows.case[row]) ?? "") + letter);
    }
    const flaky = (row) => { const letters = seen.get(data.rows.case[row]) ?? ""; return letters.includes("p") && letters.includes("f"); };
    showOnly(rowsWhere(Number(suite), flaky), `flaky in ${score}`);
  },
};

function bindPicks() {
  document.addEventListener("click", (event) => {
    const bin = event.target.closest("[data-score] .bin");
    if (bin) PICKS.bin({ ...bin.dataset, score: bin.closest("[data-score]").dataset.score });
    const from = event.target.closest("[data-pick]");
    if (from && Object.hasOwn(PICKS, from.dataset.pick)) PICKS[from.dataset.pick](from.dataset);
  });
  for (const node of document.querySelectorAll("button[data-pick]")) node.disabled = false;
}
