// Parts of a case: facts, errors, scores.
function facts(pairs) {
  const list = make("dl", "meta");
  for (const [name, value] of pairs) {
    if (value === null || value === undefined || value === "") continue;
    const shown = make("dd", "", value);
    shown.dir = "auto";
    list.append(make("div", "", make("dt", "", name), shown));
  }
  return list;
}

function faultBox(error, title) {
  const head = make("div", "", icon(error.assertion ? "missed" : "errored"), " ", make("strong", "", `${title}${error.type}`));
  const message = make("div", "message-text", plainText(error.message));
  message.dir = "auto";
  const box = make("div", error.assertion ? "fault asserted" : "fault", head, message);
  const traceback = plainText(error.traceback);
  if (traceback) {
    const text = make("pre", "", traceback);
    text.dir = "ltr";
    text.tabIndex = 0;
    box.append(make("details", "", make("summary", "", "Traceback"), text));
  }
  return box;
}

// `more(name, scorer, usage)` gives what else stands below a score, or null.
function scoresBox(scores, more = () => null) {
  const list = make("div", "scores");
  for (const [name, state, value, label, explanation, scorer, version, error, metadata, usage] of scores) {
    const shape = SHAPE[state];
    const title = make("b", "", name);
    title.dir = "auto";
    const line = make("div", "score-line", icon(shape === "none" ? "none" : shape), title);
    if (value !== null && value !== undefined) line.append(make("span", "value", figure(value)));
    if (label !== null && label !== undefined) line.append(make("span", "value", label));
    line.append(make("span", "muted", STATE[state]));
    if (version) line.append(make("span", "muted method", scorer && scorer !== name ? `${scorer} ${version}` : version));
    const entry = make("div", "", line);
    if (explanation !== null && explanation !== undefined) {
      const said = make("div", "explanation", plainText(explanation));
      said.dir = "auto";
      entry.append(said);
    }
    if (error) entry.append(faultBox(error, ""));
    if (metadata) entry.append(make("details", "", make("summary", "", "Details"), jsonNodes(plainText(metadata))));
    entry.append(...(more(name, scorer, usage) ?? []));
    list.append(entry);
  }
  const box = make("div", "block", make("div", "block-head", make("h4", "", "Scores")), list);
  if (!scores.length) list.append(make("span", "nothing", "no scores"));
  return box;
}
