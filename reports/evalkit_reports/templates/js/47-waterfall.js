// The trace of a trial: its spans as a tree, each with a bar where its time lies.
const KIND = { case: "trial", llm: "model", embedding: "embedding", tool: "tool", agent: "agent", retrieval: "retrieval", chain: "step", scorer: "scorer", http: "http" };

// Spans in the order of a tree, as [place, depth]. One whose parent is lost hangs below nothing.
function treeOrder(spans) {
  const below = spans.map(() => []), roots = [];
  spans.forEach((span, place) => (span[SPAN.parent] >= 0 ? below[span[SPAN.parent]] : roots).push(place));
  const found = [], waiting = roots.reverse().map((place) => [place, 0]);
  while (waiting.length) {
    const [place, depth] = waiting.pop();
    found.push([place, depth]);
    for (const child of below[place].reverse()) waiting.push([child, depth + 1]);
  }
  return found;
}

function barNode(span, total) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "span-bar");
  svg.setAttribute("width", "100%");
  svg.setAttribute("height", "14");
  svg.setAttribute("aria-hidden", "true");
  const left = Math.min(100 * span[SPAN.start] / total, 100), width = Math.min(100 * span[SPAN.duration] / total, 100 - left);
  const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  bar.setAttribute("class", span[SPAN.status] === "e" ? "fill-fail" : span[SPAN.kind] === "llm" ? "fill-plain" : "fill-quiet");
  bar.setAttribute("x", `${Math.min(left, 99.4).toFixed(3)}%`);
  bar.setAttribute("width", `${Math.max(width, 0.6).toFixed(3)}%`);
  bar.setAttribute("y", "2");
  bar.setAttribute("height", "10");
  bar.setAttribute("rx", "2");
  svg.append(bar);
  return svg;
}

function spanRow(trace, place, depth, total) {
  const span = trace.spans[place], details = span[SPAN.details], usage = usageOf(details.usage);
  const name = make("span", "span-name", span[SPAN.name]);
  name.dir = "auto";
  name.title = span[SPAN.name];
  const kind = make("span", "span-kind", icon(`k-${KIND[span[SPAN.kind]] ? span[SPAN.kind] : "chain"}`, 14), KIND[span[SPAN.kind]] ?? span[SPAN.kind]);
  const title = make("span", "span-title", kind, name);
  title.style.paddingInlineStart = `${Math.min(depth, 12) * 14}px`;
  if (span[SPAN.status] === "e") title.append(icon("errored", 13), make("span", "span-failed", "error"));
  const took = make("span", "num", seconds(span[SPAN.duration] / 1e6));
  const tokens = make("span", "num muted", usage && usage.input !== null ? `${figure(usage.input)} → ${figure(usage.output)}` : "");
  const cost = make("span", "num muted", usage && usage.cost !== null ? dollars(Number(usage.cost)) : "");
  const row = button("", "span-row", () => {
    const open = row.getAttribute("aria-expanded") !== "true";
    row.setAttribute("aria-expanded", String(open));
    if (open) { row.after(spanDetails(trace, span)); foldLong(row.nextElementSibling); } else row.nextElementSibling.remove();
  });
  row.setAttribute("aria-expanded", "false");
  row.append(title, barNode(span, total), took, tokens, cost);
  return make("li", "", row);
}

function spanDetails(trace, span) {
  const details = span[SPAN.details], usage = usageOf(details.usage);
  const box = make("div", "span-details", facts([
    ["Kind", KIND[span[SPAN.kind]] ?? span[SPAN.kind]],
    ["Model", details.model],
    ["Tool", details.tool],
    ["Starts after", seconds(span[SPAN.start] / 1e6)],
    ["Took", seconds(span[SPAN.duration] / 1e6)],
    ["Used", usageText(usage)],
  ]));
  if (details.error !== undefined) box.append(faultBox({ type: "Error", message: details.error, traceback: null }, ""));
  box.append(...callNodes(trace, span));
  if (details.more !== undefined) box.append(folded("Attributes", "", () => [block("Attributes", details.more)]));
  return box;
}

function waterfallNode(trace, id) {
  if (!trace) return null;
  const total = Math.max(...trace.spans.map((span) => span[SPAN.start] + span[SPAN.duration]), 1);
  const counts = {};
  for (const span of trace.spans) counts[span[SPAN.kind]] = (counts[span[SPAN.kind]] ?? 0) + 1;
  const told = [seconds(total / 1e6), ...["llm", "tool", "retrieval"].filter((kind) => counts[kind]).map((kind) => `${counts[kind]} ${KIND[kind]} ${counts[kind] === 1 ? "call" : "calls"}`)];
  const failed = trace.spans.filter((span) => span[SPAN.status] === "e").length;
  if (failed) told.push(`${failed} with an error`);
  const head = make("div", "block-head", make("h4", "", "Trace"), make("span", "muted", told.join(" · ")));
  if (id) head.append(copyButton(() => `evalkit traces show ${id}`, "Copy command"));
  const axis = make("div", "span-axis", make("span"), make("span", "span-ticks", make("span", "", "0"), make("span", "", seconds(total / 2e6)), make("span", "", seconds(total / 1e6))), make("span", "num", "took"), make("span", "num", "tokens"), make("span", "num", "cost"));
  axis.setAttribute("aria-hidden", "true");
  const list = make("ol", "spans", ...treeOrder(trace.spans).map(([place, depth]) => spanRow(trace, place, depth, total)));
  list.setAttribute("aria-label", "Spans of the trace");
  const box = make("div", "block waterfall", head, axis, list);
  if (trace.more) box.append(make("p", "cut-note", `${whole.format(trace.more)} more spans are not shown here; evalkit traces show has them.`));
  return box;
}
