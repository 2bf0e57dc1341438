// Values as people read them: text first, then JSON, chat messages, fields, Markdown. Text nodes only, never markup.
const HIGHLIGHT_LIMIT = 60000;
const TOKENS = /("(?:[^"\\]|\\.)*")(\s*:)?|-?\d[\d.eE+-]*|true|false|null|[{}[\],]/g;

class Exact { // a number that would not survive as a double, kept as it was written
  constructor(source) { this.source = source; }
}

function parse(text) {
  return JSON.parse(text, (key, value, context) =>
    typeof value === "number" && context?.source !== undefined && String(value) !== context.source
      ? new Exact(context.source) : value);
}

function tryParse(text) {
  try { return parse(text); } catch { return undefined; }
}

function jsonNodes(text) {
  // Laid out from the text itself, so that every number and escape stays as it was.
  const out = make("div", "code");
  out.dir = "ltr";
  const plain = text.length > HIGHLIGHT_LIMIT;
  let depth = 0, buffer = "";
  const newline = () => "\n" + "  ".repeat(depth);
  const put = (token, kind) => {
    if (plain || !kind) { buffer += token; return; }
    if (buffer) { out.append(buffer); buffer = ""; }
    out.append(make("span", kind, token));
  };
  const tokens = [...text.matchAll(TOKENS)];
  tokens.forEach((found, i) => {
    const token = found[0], next = tokens[i + 1]?.[0];
    if (found[1] !== undefined) {
      if (found[2] !== undefined) { put(found[1], "j-key"); put(": "); } else put(found[1], "j-string");
    } else if (token === "{" || token === "[") {
      if (next === "}" || next === "]") put(token);
      else { depth++; put(token + newline()); }
    } else if (token === "}" || token === "]") {
      const before = tokens[i - 1]?.[0];
      if (before === "{" || before === "[") put(token);
      else { depth--; put(newline() + token); }
    } else if (token === ",") put("," + newline());
    else put(token, /^[tfn]/.test(token) ? "j-word" : "j-number");
  });
  if (buffer) out.append(buffer);
  return out;
}

function textNodes(text) {
  const out = make("div", "prose", text);
  out.dir = "auto";
  return out;
}

function codeNodes(text) {
  const out = make("div", "code", text);
  out.dir = "ltr";
  return out;
}

const MARKDOWN = /^(#{1,6} |```|\s*[-*] |\s*\d+\. |> )|\*\*[^*\n]+\*\*|`[^`\n]+`/m;

function looksLikeCode(text) {
  const lines = text.split("\n").filter((line) => line.trim());
  return lines.length > 1 && lines.filter((line) => /^\s{2,}|[{};:]\s*$|^\s*(def|import|from|return|class) /.test(line)).length > lines.length * 0.6;
}

function markdownNodes(text) {
  // Every character stays; the marks are only drawn lighter, and what they mean is drawn as such.
  const out = make("div", "prose");
  out.dir = "auto";
  let fence = null;
  for (const line of text.split(/(?<=\n)/)) {
    const mark = /^\s*(```|~~~)/.exec(line);
    if (fence !== null) {
      fence.append(line);
      if (mark) fence = null;
    } else if (mark) {
      fence = make("span", "fence", line);
      fence.dir = "ltr";
      out.append(fence);
    } else if (/^#{1,6} /.test(line)) out.append(make("span", "heading", ...inline(line)));
    else out.append(...inline(line));
  }
  return out;
}

function inline(line) {
  const nodes = [];
  let end = 0;
  for (const found of line.matchAll(/\*\*([^*\n]+)\*\*|`([^`\n]+)`|^#{1,6} |^\s*[-*] |^> /g)) {
    if (found.index > end) nodes.push(line.slice(end, found.index));
    if (found[1] !== undefined) nodes.push(make("span", "sign", "**"), make("span", "strong", found[1]), make("span", "sign", "**"));
    else if (found[2] !== undefined) nodes.push(make("span", "tick", found[0]));
    else nodes.push(make("span", "sign", found[0]));
    end = found.index + found[0].length;
  }
  if (end < line.length) nodes.push(line.slice(end));
  return nodes;
}

function bestText(text) {
  if (looksLikeCode(text) && !MARKDOWN.test(text)) return codeNodes(text);
  return MARKDOWN.test(text) ? markdownNodes(text) : textNodes(text);
}

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value) && !(value instanceof Exact);
const isMessage = (value) => isObject(value) && typeof value.role === "string" && ("content" in value || "tool_calls" in value);

function messagesIn(value) {
  const list = Array.isArray(value) ? value : isObject(value) && Array.isArray(value.messages) ? value.messages : isMessage(value) ? [value] : null;
  return list && list.length && list.every(isMessage) ? list : null;
}

function written(value) { // back to JSON text, exact numbers included
  if (value instanceof Exact) return value.source;
  if (Array.isArray(value)) return `[${value.map(written).join(",")}]`;
  if (isObject(value)) return `{${Object.keys(value).map((key) => `${JSON.stringify(key)}:${written(value[key])}`).join(",")}}`;
  return JSON.stringify(value);
}

function anyNodes(value) {
  if (value === null || value === undefined) return make("span", "nothing", "null");
  if (typeof value !== "string") return jsonNodes(written(value));
  const parsed = /^\s*[[{]/.test(value) ? tryParse(value) : undefined;
  return parsed === undefined ? bestText(value) : jsonNodes(value);
}

function chatNodes(messages) {
  const out = make("div", "chat");
  for (const message of messages) {
    const kind = ["user", "assistant", "tool"].includes(message.role) ? message.role : "";
    const name = typeof message.name === "string" ? ` · ${message.name}` : "";
    const box = make("div", `message ${kind}`, make("div", "role", message.role + name));
    const parts = Array.isArray(message.content) ? message.content : [message.content];
    for (const part of parts) {
      if (part === null || part === undefined || part === "") continue;
      box.append(anyNodes(isObject(part) && typeof part.text === "string" ? part.text : part));
    }
    for (const call of Array.isArray(message.tool_calls) ? message.tool_calls : []) {
      const called = isObject(call?.function) ? call.function : call;
      box.append(make("div", "role", `calls ${called?.name ?? ""}`), anyNodes(called?.arguments ?? called));
    }
    out.append(box);
  }
  return out;
}

function fieldNodes(value) {
  const out = make("dl", "fields");
  for (const key of Object.keys(value)) {
    const term = make("dt", "", key);
    term.dir = "auto";
    out.append(make("div", "", term, make("dd", "", anyNodes(value[key]))));
  }
  return out;
}

// The ways one value can be shown, best first: [name, function that makes the nodes].
function waysToShow(value) {
  if (value === null || value === undefined) return [["Text", () => make("span", "nothing", "nothing")]];
  const isText = typeof value === "string";
  const isCut = !isText && value[0] === "cut";
  const text = isText ? value : value[1];
  const raw = ["Text", () => (isText || isCut ? textNodes(text) : codeNodes(text))];
  if (isCut) {
    const note = `cut here: ${whole.format(text.length)} of ${whole.format(value[2])} characters are shown`;
    return [["Text", () => make("div", "", textNodes(text), make("p", "cut-note", note))]];
  }
  if (isText && text === "") return [["Text", () => make("span", "nothing", "empty text")]];
  const parsed = !isText || /^\s*[[{]/.test(text) ? tryParse(text) : undefined;
  if (parsed === undefined || (isText && typeof parsed !== "object")) {
    if (MARKDOWN.test(text)) return [["Markdown", () => markdownNodes(text)], raw];
    if (looksLikeCode(text)) return [["Code", () => codeNodes(text)], raw];
    return [raw];
  }
  const json = ["JSON", () => jsonNodes(text)];
  const messages = messagesIn(parsed);
  if (messages) return [["Chat", () => chatNodes(messages)], json, raw];
  const fields = isObject(parsed) ? Object.values(parsed) : [];
  if (fields.some((field) => typeof field === "string" && (field.length > 60 || field.includes("\n")))) {
    return [["Fields", () => fieldNodes(parsed)], json, raw];
  }
  return [json, raw];
}

function plainText(value) {
  return value === null || value === undefined ? "" : typeof value === "string" ? value : value[1];
}

function block(title, value) {
  const ways = waysToShow(value);
  const shown = make("div", "shown");
  const head = make("div", "block-head", make("h4", "", title));
  const box = make("div", "block", head, shown);
  const unfold = button("Show all", "unfold", () => { box.classList.remove("folded"); unfold.remove(); });
  const modes = ways.map(([name, nodes]) => {
    const mode = button(name, "mode", () => {
      shown.replaceChildren(nodes());
      for (const other of modes) other.setAttribute("aria-pressed", String(other === mode));
    });
    mode.setAttribute("aria-pressed", "false");
    return mode;
  });
  shown.replaceChildren(ways[0][1]());
  modes[0].setAttribute("aria-pressed", "true");
  if (modes.length > 1) head.append(...modes);
  const text = plainText(value);
  if (text) head.append(copyButton(() => text));
  if (text.length > 1400 || text.split("\n", 24).length > 22) {
    box.classList.add("folded");
    box.append(unfold);
  }
  return box;
}

function copyButton(text, name = "Copy") {
  const copy = button(name, "mode", async () => {
    try { await navigator.clipboard.writeText(text()); copy.textContent = "Copied"; } catch { copy.textContent = "Not allowed"; }
    setTimeout(() => { copy.textContent = name; }, 1200);
  });
  return copy;
}
