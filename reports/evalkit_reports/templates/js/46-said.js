// What was said in calls to models: the prompt as it was sent, and what a judge was asked and answered.
const usageOf = (row) => (row ? { input: row[0], output: row[1], cost: row[2], calls: row[3] ?? 0, uncounted: row[4] ?? 0, unpriced: row[5] ?? 0 } : null);

function tokensText(usage) {
  if (!usage || (usage.input === null && usage.output === null)) return "";
  return `${figure(usage.input)} in, ${figure(usage.output)} out`;
}

function usageText(usage) {
  if (!usage) return "";
  const told = [usage.calls ? `${whole.format(usage.calls)} ${usage.calls === 1 ? "call" : "calls"}` : "", tokensText(usage), usage.cost === null ? "" : dollars(Number(usage.cost))];
  if (usage.uncounted) told.push(`${whole.format(usage.uncounted)} without token counts`);
  if (usage.unpriced) told.push(`${whole.format(usage.unpriced)} without a known price`);
  return told.filter(Boolean).join(" · ");
}

const SPAN = { parent: 0, kind: 1, name: 2, start: 3, duration: 4, status: 5, details: 6 };

// The scorer for which a span ran, its own or that of the nearest span above; null for the function under test.
function scorerOf(spans, place) {
  for (let at = place, steps = 0; at >= 0 && steps < spans.length; at = spans[at][SPAN.parent], steps++) {
    const details = spans[at][SPAN.details];
    if (details.scorer !== undefined) return details.scorer;
    if (spans[at][SPAN.kind] === "scorer") return spans[at][SPAN.name];
  }
  return null;
}

function modelCalls(trace, wanted) {
  if (!trace) return [];
  return trace.spans.filter((span, place) => span[SPAN.kind] === "llm" && scorerOf(trace.spans, place) === wanted);
}

// Messages as one value, in the form in which values travel.
function messagesValue(trace, places, system) {
  const texts = places.map((place) => {
    const value = trace.said[place];
    return value[0] === "json" ? value[1] : JSON.stringify({ role: "cut", content: plainText(value) });
  });
  if (system !== undefined) {
    const read = Array.isArray(system) && system[0] === "json" ? tryParse(system[1]) : undefined;
    const parts = Array.isArray(read) ? read : [{ type: "text", content: plainText(system) }];
    texts.unshift(written({ role: "system", parts }));
  }
  return ["json", `[${texts.join(",")}]`];
}

function callNodes(trace, span) {
  const { in: asked, out: answered, system, arguments: given, result } = span[SPAN.details];
  const nodes = [];
  if (asked) nodes.push(block("Asked", messagesValue(trace, asked, system)));
  if (answered) nodes.push(block("Answered", messagesValue(trace, answered)));
  if (given !== undefined) nodes.push(block("Arguments", given));
  if (result !== undefined) nodes.push(block("Result", result));
  return nodes;
}

// A box that is made when it is opened, so that a case with many calls is there at once.
function folded(title, told, nodes, open = false) {
  const name = make("span", "", title);
  name.dir = "auto";
  const box = make("details", "fold", make("summary", "", name, told ? make("span", "muted", ` ${told}`) : null));
  const fill = () => { if (!box.dataset.filled) { box.dataset.filled = "yes"; const inside = make("div", "fold-body", ...nodes()); box.append(inside); foldLong(inside); } };
  box.addEventListener("toggle", () => { if (box.open) fill(); });
  if (open) { fill(); box.open = true; }
  return box;
}

function promptNode(trace) {
  const call = modelCalls(trace, null).find((span) => span[SPAN.details].in);
  if (!call) return null;
  const { in: asked, system, model } = call[SPAN.details];
  const others = modelCalls(trace, null).length - 1;
  const more = others > 0 ? `, the first of ${others + 1} calls; the others are in the trace` : "";
  const count = asked.length + (system === undefined ? 0 : 1);
  return folded("Prompt as it was sent", `${count} ${count === 1 ? "message" : "messages"}${model ? ` to ${model}` : ""}${more}`,
    () => [block("Messages", messagesValue(trace, asked, system))]);
}

// What the judge behind a score was asked and answered; once for all scores of one scorer.
function transcriptNode(trace, scorer, name) {
  const calls = modelCalls(trace, scorer).concat(scorer === name ? [] : modelCalls(trace, name));
  if (!calls.length) return null;
  return folded("Transcript of the judge", `${calls.length} ${calls.length === 1 ? "call" : "calls"}`, () => calls.flatMap((span) => callNodes(trace, span)));
}
