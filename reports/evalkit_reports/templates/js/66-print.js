// On paper the cases that the filters leave are a list.
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
