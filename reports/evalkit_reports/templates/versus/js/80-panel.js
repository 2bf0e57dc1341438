// One case: what both sides said, facing each other, and what differs word by word.
const panel = { row: -1, turn: 0 };

function worded(trial) {
  return trial.error ? "errored" : OUTCOME[trialLetter(trial)];
}

function trialLetter(trial) {
  if (trial.error) return trial.error.assertion ? "m" : "e";
  const states = trial.scores.map((score) => score[1]);
  return states.includes("f") ? "m" : states.includes("e") ? "e" : states.includes("u") ? "u" : "p";
}

// The output of one side; what differs from the other comes first where both have something to say.
function outputBlock(trial, pieces, side) {
  const ways = waysToShow(trial.value);
  if (pieces.length > 1 || (pieces.length && pieces[0][0] !== " ")) {
    const name = typeof trial.value !== "string" && trial.value?.[0] === "json" ? "code" : "prose";
    ways.unshift(["Changes", () => diffNodes(pieces, side, name)]);
  }
  return blockOf("Output", ways, plainText(trial.value));
}

function sideNodes(trial, pieces, side) {
  const nodes = [];
  if (trial.error) nodes.push(faultBox(trial.error, ""));
  if (!trial.error || trial.value !== null) nodes.push(outputBlock(trial, pieces, side));
  nodes.push(scoresBox(trial.scores));
  const [input, output, cost] = trial.usage ?? [];
  nodes.push(facts([
    ["Took", trial.duration === null || trial.duration === undefined ? null : seconds(trial.duration)],
    ["Tokens", input === undefined || (input === null && output === null) ? null : `${figure(input)} in, ${figure(output)} out`],
    ["Cost", cost === null || cost === undefined ? null : `$${cost}`],
    ["Trace", trial.trace],
  ]));
  return nodes;
}

function sideSection(trial, pieces, mark, name, number, several) {
  const title = several ? `${name}, trial ${number}` : name;
  const head = make("h3", "", title);
  const section = make("section", mark === "+" ? "after" : "before", head);
  section.setAttribute("aria-label", title);
  if (trial) section.append(...sideNodes(trial, pieces, mark));
  else section.append(make("p", "nothing", "not run on this side"));
  return section;
}

function facing(before, after, name) {
  const nodes = [], count = Math.max(before.length, after.length), several = count > 1;
  for (let place = 0; place < count; place++) {
    const old = before[place], fresh = after[place];
    let pieces = [];
    if (old && fresh) {
      const texts = [textForDiff(old.value), textForDiff(fresh.value)];
      pieces = wordDiff(...texts);
      const same = texts[0] === texts[1] && old.value !== null;
      if (same) nodes.push(make("p", "same-note", several ? `The outputs of trial ${place + 1} are identical.` : "The outputs are identical."));
    }
    nodes.push(make("div", "facing", sideSection(old, pieces, "-", "Base", place + 1, several), sideSection(fresh, pieces, "+", name, place + 1, several)));
  }
  return nodes;
}

function flat(metadata) {
  const parsed = metadata === null ? null : tryParse(plainText(metadata));
  if (!isObject(parsed)) return null;
  const pairs = Object.entries(parsed);
  return pairs.every(([, value]) => value === null || typeof value !== "object" || value instanceof Exact) ? pairs.map(([key, value]) => [key, value instanceof Exact ? value.source : String(value)]) : null;
}

function otherSides(row) {
  const rows = data.rowsOf(data.rows.case[row]);
  if (rows.length < 2) return null;
  const box = make("div", "others", make("span", "muted", "Candidates"));
  for (const other of rows) {
    const [word, shape] = kindOf(other), letter = data.letters[data.rows.side[other]];
    const one = button(`${letter} ${word}`, "quiet", () => openRow(other));
    one.prepend(icon(shape, 13), " ");
    one.setAttribute("aria-pressed", String(other === row));
    if (other === row) one.style.fontWeight = "600";
    box.append(one);
  }
  return box;
}

function panelHead(number, row) {
  const [word, shape] = kindOf(row);
  const title = make("h2", "", data.cases.id[number]);
  title.id = "panel-title";
  title.tabIndex = -1;
  title.dir = "auto";
  const position = table.rows.indexOf(row);
  const place = position < 0 ? "filtered" : `${whole.format(position + 1)} of ${whole.format(table.rows.length)}`;
  return make("div", "panel-head",
    icon(shape, 18), make("strong", "", word), title, make("span", "muted", place),
    button("↑", "quiet", () => step(-1), "Previous case"), button("↓", "quiet", () => step(1), "Next case"),
    copyButton(() => location.href, "Copy link"), button("✕", "quiet", closePanel, "Close"));
}

async function showCase(row, focus) {
  const number = data.rows.case[row], turn = ++panel.turn, side = data.rows.side[row];
  const item = await data.contents(number);
  if (turn !== panel.turn) return; // another case was asked for meanwhile
  panel.row = row;
  const tags = data.cases.tags[number].map((tag) => data.tags[tag]).join(", ");
  const known = flat(item.metadata) ?? [];
  const suite = data.suites.length > 1 ? data.suites[data.cases.suite[number]] : null;
  const body = make("div", "panel-body", facts([["Suite", suite], ["Tags", tags], ["Source", item.source], ...known]));
  const others = otherSides(row);
  if (others) body.append(others);
  const given = make("div", "pair", block("Input", item.input));
  if (item.expected !== null) given.append(block("Expected", item.expected));
  const name = data.letters.length > 1 ? `Candidate ${data.letters[side]}` : "Candidate";
  body.append(make("h3", "sr", "What was asked"), given, ...facing(item.trials, item.sides[side], name));
  if (item.metadata && flat(item.metadata) === null) body.append(block("Metadata", item.metadata));
  const box = $("panel");
  box.setAttribute("aria-labelledby", "panel-title");
  box.replaceChildren(panelHead(number, row), body);
  box.hidden = false;
  if (focus) $("panel-title").focus({ preventScroll: true });
  foldLong(body);
}

// Which of the rows of a case an address means.
const PAGE = "comparison";
const isNamed = (row, wanted) => data.letters[data.rows.side[row]] === wanted.run;
