// One case, with all its trials side by side.
const panel = { row: -1, turn: 0 };

// The output held against what was expected, word by word; shown first where the two are nearly alike.
const ALIKE = 0.5;
function outputBlock(trial, expected, missed) {
  const ways = waysToShow(trial.value);
  const expects = expected !== null && expected !== undefined && trial.value !== null;
  if (expects) {
    const before = textForDiff(expected), after = textForDiff(trial.value);
    const nodes = () => make("div", "", make("p", "diff-key muted", make("del", "", "only expected"), " ", make("ins", "", "only in the output")), diffNodes(wordDiff(before, after), ""));
    const short = before.length + after.length < 4000;
    if (before === after) ways.push(["Same as expected", () => make("div", "", make("p", "diff-key muted", "The output is what was expected, character by character."), ways[0][1]())]);
    else if (missed && short && likeness(wordDiff(before, after)) >= ALIKE) ways.unshift(["Against expected", nodes]);
    else ways.push(["Against expected", nodes]);
  }
  return blockOf("Output", ways, plainText(trial.value));
}

function likeness(pieces) {
  let same = 0, all = 0;
  for (const [mark, text] of pieces) {
    const size = text.trim().length * (mark === " " ? 2 : 1);
    all += size;
    if (mark === " ") same += size;
  }
  return all ? same / all : 1;
}

function judgesText(trial) {
  const used = trial.scores.map((score) => usageOf(score[9])).filter(Boolean);
  if (!used.length) return "";
  const sum = (name) => used.reduce((total, usage) => (usage[name] === null ? total : (total ?? 0) + Number(usage[name])), null);
  return usageText({ input: sum("input"), output: sum("output"), cost: sum("cost"), calls: sum("calls"), uncounted: sum("uncounted"), unpriced: sum("unpriced") });
}

function trialNodes(trial, row, item) {
  const rows = data.rows, nodes = [], trace = trial.spans ?? null;
  if (trial.error) nodes.push(faultBox(trial.error, ""));
  if (!trial.error || trial.value !== null) nodes.push(outputBlock(trial, item.expected, data.rows.outcome[row] === "m"));
  const shown = new Set();
  nodes.push(scoresBox(trial.scores, (name, scorer, usage) => {
    const used = usageText(usageOf(usage));
    const transcript = shown.has(scorer) ? null : transcriptNode(trace, scorer, name);
    if (transcript) shown.add(scorer);
    return [used ? make("p", "explanation muted", `took ${used}`) : null, transcript].filter(Boolean);
  }));
  nodes.push(promptNode(trace));
  const usage = usageOf(trial.usage);
  nodes.push(facts([
    ["Latency", rows.latency[row] === null ? null : seconds(rows.latency[row])],
    ["Tokens", tokensText(usage)],
    ["Cost", !usage || usage.cost === null ? null : `$${usage.cost}`],
    ["Judges", judgesText(trial)],
    ...(trial.versions ?? []).map((place) => versionPair(data.versions[place])),
    ["Trace", trial.trace],
    ["Started", trial.started.replace(/(\.\d+)?\+00:00$/, " UTC").replace("T", " ")],
    ["Attempt", trial.attempt > 1 ? String(trial.attempt) : null],
    ["Test", trial.nodeid],
  ]));
  nodes.push(waterfallNode(trace, trial.trace));
  if (trial.metadata) nodes.push(block("Output metadata", trial.metadata));
  return nodes.filter(Boolean);
}

function versionPair(title) { // "prompt reply v3 (ab12cd34)"
  const space = title.indexOf(" ");
  return [title[0].toUpperCase() + title.slice(1, space), title.slice(space + 1)];
}

function trialColumn(trial, row, here, item) {
  const letter = data.rows.outcome[row];
  const head = make("h3", "", icon(SHAPE[letter]), `Trial ${data.rows.trial[row]}`, make("span", "muted", OUTCOME[letter]));
  const column = make("section", here ? "trial here" : "trial", head, ...trialNodes(trial, row, item));
  column.setAttribute("aria-label", `Trial ${data.rows.trial[row]}`);
  return column;
}

function caseFacts(number, item) {
  const tags = data.cases.tags[number].map((tag) => data.tags[tag]).join(", ");
  const suite = data.suites.length > 1 ? data.suites[data.cases.suite[number]] : null;
  const known = flat(item.metadata) ?? [];
  const declared = (data.declared[data.cases.suite[number]] ?? []).filter((place) => !item.trials.some((trial) => trial.versions?.includes(place)));
  const since = data.changed ? CHANGED[data.changed[number]] : null;
  const box = facts([["Suite", suite], ["Tags", tags], ["Since the baseline", since], ...known, ...declared.map((place) => versionPair(data.versions[place])), ["Source", item.source]]);
  return box.childElementCount ? box : null;
}

// Short metadata without nesting, as pairs; null where it wants a block of its own.
function flat(metadata) {
  const parsed = metadata?.[0] === "json" && metadata[1].length < 400 ? tryParse(metadata[1]) : null;
  if (!isObject(parsed) || Object.values(parsed).some((value) => value !== null && typeof value === "object" && !(value instanceof Exact))) return null;
  return Object.keys(parsed).map((key) => [key, typeof parsed[key] === "string" ? parsed[key] : written(parsed[key])]);
}

function panelHead(number, row) {
  const position = table.rows.indexOf(row);
  const letter = data.rows.outcome[row];
  const title = make("h2", "", data.cases.id[number]);
  title.id = "panel-title";
  title.tabIndex = -1;
  title.dir = "auto";
  title.title = data.cases.id[number];
  const place = position < 0 ? "not among the filtered" : `${whole.format(position + 1)} of ${whole.format(table.rows.length)}`;
  return make("div", "panel-head",
    icon(SHAPE[letter], 18), make("strong", "", OUTCOME[letter]), title,
    make("span", "muted", place),
    button("↑", "quiet", () => step(-1), "Previous case"), button("↓", "quiet", () => step(1), "Next case"),
    copyButton(() => location.href, "Copy link"),
    button("✕", "quiet", closePanel, "Close"));
}

async function showCase(row, focus) {
  const number = data.rows.case[row], turn = ++panel.turn;
  const item = await data.contents(number).catch((error) => { complain(`This case cannot be shown: ${error.message}.`); $("trouble").scrollIntoView({ block: "center" }); });
  if (!item || turn !== panel.turn) return; // another case was asked for meanwhile
  const rows = data.rowsOf(number);
  panel.row = row;
  const body = make("div", "panel-body", make("h3", "sr", "What went in, and what came out"), caseFacts(number, item));
  const given = make("div", "pair", block("Input", item.input));
  if (item.expected !== null) given.append(block("Expected", item.expected));
  body.append(given);
  if (item.trials.length === 1) body.append(...trialNodes(item.trials[0], rows[0], item));
  else if (item.trials.length) {
    const columns = item.trials.map((trial, place) => trialColumn(trial, rows[place], rows[place] === row, item));
    const side = make("div", "trials", ...columns);
    side.tabIndex = 0;
    side.setAttribute("role", "region");
    side.setAttribute("aria-label", "Trials side by side");
    body.append(side);
  } else body.append(make("p", "nothing", "This case was selected but not run."));
  if (item.metadata && flat(item.metadata) === null) body.append(block("Metadata", item.metadata));
  const box = $("panel");
  box.classList.toggle("many", item.trials.length > 1);
  box.setAttribute("aria-labelledby", "panel-title");
  box.replaceChildren(panelHead(number, row), body);
  box.hidden = false;
  if (focus) $("panel-title").focus({ preventScroll: true });
  foldLong(body);
  const here = body.querySelector(".here");
  if (here) here.parentElement.scrollLeft = here.offsetLeft - here.parentElement.offsetLeft - 40;
}

// Which of the rows of a case an address means.
const PAGE = "report";
const isNamed = (row, wanted) => String(data.rows.trial[row]) === wanted.trial;
