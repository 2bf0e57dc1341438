// Values as people read them: text first, then JSON, chat messages, fields, Markdown. Text nodes only, never markup.
const HIGHLIGHT_LIMIT = 60000;
const FOLD_ABOVE = 480;
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

// Where a bracket at `from` closes, if what it holds is short and flat enough for one line; else -1.
function shortUntil(tokens, from) {
  for (let i = from + 1, length = 0; i < tokens.length && length < 64; i++) {
    const token = tokens[i][0];
    if (token === "}" || token === "]") return i;
    if (token === "{" || token === "[") return -1;
    length += token.length + 1;
  }
  return -1;
}

function jsonNodes(text) {
  // Laid out from the text itself, so that every number and escape stays as it was.
  const out = make("div", "code");
  out.dir = "ltr";
  const plain = text.length > HIGHLIGHT_LIMIT;
  const tokens = [...text.matchAll(TOKENS)];
  let depth = 0, buffer = "", lineEnd = -1;
  const newline = () => "\n" + "  ".repeat(depth);
  const put = (token, kind) => {
    if (plain || !kind) { buffer += token; return; }
    if (buffer) { out.append(buffer); buffer = ""; }
    out.append(make("span", kind, token));
  };
  tokens.forEach((found, i) => {
    const token = found[0];
    if (found[1] !== undefined) {
      put(found[1], found[2] === undefined ? "j-string" : "j-key");
      if (found[2] !== undefined) put(": ");
    } else if (token === "{" || token === "[") {
      lineEnd = shortUntil(tokens, i);
      if (lineEnd < 0) { depth++; put(token + newline()); } else put(token);
    } else if (token === "}" || token === "]") {
      if (i === lineEnd) { lineEnd = -1; put(token); } else { depth--; put(newline() + token); }
    } else if (token === ",") put(lineEnd < 0 ? "," + newline() : ", ");
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

const FENCE = /^\s*(```|~~~)/m;
const CODE_LINE = /^\s*(def|class|import|from|return|function|const|let|var|fn|pub|public|static|#include|SELECT|if|for|while) .*|[;{]\s*$/;

function looksLikeCode(text) {
  if (FENCE.test(text)) return false;
  const lines = text.split("\n", 400).filter((line) => line.trim());
  const shaped = lines.filter((line) => /^\s{2,}/.test(line) || CODE_LINE.test(line)).length;
  return lines.length > 1 && lines.some((line) => CODE_LINE.test(line)) && shaped > lines.length * 0.6;
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
  if (looksLikeCode(text)) return codeNodes(text);
  return MARKDOWN.test(text) ? markdownNodes(text) : textNodes(text);
}

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value) && !(value instanceof Exact);
const isMessage = (value) => isObject(value) && typeof value.role === "string" && ("content" in value || "tool_calls" in value || Array.isArray(value.parts));

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
    if (Array.isArray(message.parts)) for (const part of message.parts) box.append(...partNodes(part));
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

// A part of a message as traces have it: text, a call of a tool, its answer, or anything else as it is.
function partNodes(part) {
  if (!isObject(part)) return [anyNodes(part)];
  if (typeof part.content === "string" && Object.keys(part).every((key) => key === "type" || key === "content")) {
    const told = part.type === "text" || part.type === undefined ? [] : [make("div", "role", String(part.type))];
    return part.content === "" ? told : [...told, anyNodes(part.content)];
  }
  if (part.type === "tool_call") return [make("div", "role", `calls ${part.name ?? ""}`), anyNodes(part.arguments ?? {})];
  if (part.type === "tool_call_response") return [make("div", "role", "answer of the tool"), anyNodes(part.response ?? part.result ?? part)];
  return [anyNodes(part)];
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
    if (looksLikeCode(text)) return [["Code", () => codeNodes(text)], raw];
    if (MARKDOWN.test(text)) return [["Markdown", () => markdownNodes(text)], raw];
    return [raw];
  }
  const json = ["JSON", () => jsonNodes(text)];
  const messages = messagesIn(parsed);
  if (messages) return [["Chat", () => chatNodes(messages)], json, raw];
  const fields = isObject(parsed) ? Object.values(parsed) : [];
  if (fields.some((field) => typeof field === "string" && (field.includes("\n") || (field.length > 24 && field.includes(" "))))) {
    return [["Fields", () => fieldNodes(parsed)], json, raw];
  }
  return [json, raw];
}

function plainText(value) {
  return value === null || value === undefined ? "" : typeof value === "string" ? value : value[1];
}

function block(title, value) {
  return blockOf(title, waysToShow(value), plainText(value));
}

// A box with a title that shows its content in one of several ways; `text` is what is copied.
function blockOf(title, ways, text) {
  const shown = make("div", "shown");
  const head = make("div", "block-head", make("h4", "", title));
  const box = make("div", "block", head, shown);
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
  if (text) head.append(copyButton(() => text));
  return box;
}

// Long values start folded; how long they are is known once they are on the page.
function foldLong(within) {
  const boxes = [...within.querySelectorAll(".block")].filter((box) => box.querySelector(":scope > .shown")?.scrollHeight > FOLD_ABOVE);
  for (const box of boxes) {
    box.classList.add("folded");
    const unfold = button("Show all", "unfold", () => { box.classList.remove("folded"); unfold.remove(); });
    box.append(unfold);
  }
}

function copyButton(text, name = "Copy") {
  const copy = button(name, "mode", async () => {
    try { await navigator.clipboard.writeText(text()); copy.textContent = "Copied"; } catch { copy.textContent = "Not allowed"; }
    setTimeout(() => { copy.textContent = name; }, 1200);
  });
  return copy;
}
