// Which case is open, how it is closed, and the address that leads to it.
function hidePanel() {
  panel.turn++;
  panel.row = -1;
  $("panel").hidden = true;
  $("panel").replaceChildren();
}

function closePanel() {
  history.replaceState(null, "", location.pathname + location.search + "#cases");
  hidePanel();
  $("table").focus({ preventScroll: true });
}

function openRow(row) {
  const address = addressOf(row);
  if (panel.row >= 0) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  return showCase(row, true);
}

function step(by) {
  if (!table.rows.length) return;
  activate(table.active < 0 ? 0 : table.active + by);
  if (panel.row >= 0) openRow(table.rows[table.active]);
}

// "#case-ID", and where it takes more to name it, "&suite=NAME" and what the page's own `isNamed` looks at.
function rowAt(hash) {
  if (!hash.startsWith("#case-")) return -1;
  const [id, ...more] = hash.slice(6).split("&");
  const wanted = { id: decoded(id) };
  for (const part of more) {
    const [key, value] = part.split("=");
    wanted[key] = decoded(value ?? "");
  }
  const number = data.cases.id.findIndex((known, index) =>
    sameText(known, wanted.id) && (wanted.suite === undefined || sameText(data.suites[data.cases.suite[index]], wanted.suite)));
  if (number < 0) return -1;
  const rows = data.rowsOf(number);
  return rows.find((row) => isNamed(row, wanted)) ?? rows[0] ?? -1;
}

function decoded(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}

function sameText(known, wanted) {
  return (known.toWellFormed ? known.toWellFormed() : known) === wanted;
}

function followHash() {
  if (!location.hash.startsWith("#case-")) { if (panel.row >= 0) hidePanel(); return; }
  const row = rowAt(location.hash);
  if (row < 0) { complain(`This ${PAGE} has no case ${decoded(location.hash.slice(6))}.`); return; }
  const position = table.rows.indexOf(row);
  if (position >= 0) activate(position);
  if (panel.row < 0) $("cases").scrollIntoView({ behavior: "instant" });
  showCase(row, true);
}
