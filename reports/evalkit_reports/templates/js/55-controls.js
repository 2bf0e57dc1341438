// What the reader touches on any page: the table, the keys, the theme.
function complain(text) {
  $("trouble").textContent = text;
  $("trouble").hidden = false;
}

function option(value, text) {
  const element = make("option", "", text);
  element.value = value;
  return element;
}

function bindTable() {
  const grid = $("table");
  let asked = false;
  grid.addEventListener("scroll", () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; drawRows(); });
  }, { passive: true });
  $("rows").addEventListener("click", (event) => {
    const node = event.target.closest(".row");
    if (!node || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    activate(Number(node.id.slice(4)), false);
    openRow(Number(node.dataset.row));
  });
  new ResizeObserver(() => {
    const height = parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--row"));
    if (height !== table.height) redraw(); else drawRows();
  }).observe(grid);
}

function bindKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const typing = event.target.matches("input, select, textarea");
    if (event.key === "Escape") {
      if (typing) { if (event.target.id === "search" && event.target.value) { event.target.value = ""; search(); } event.target.blur(); $("table").focus({ preventScroll: true }); }
      else if (panel.row >= 0) closePanel();
      return;
    }
    if (typing) {
      if (event.key === "Enter" && event.target.id === "search") { activate(0); $("table").focus(); }
      return;
    }
    const inTable = document.activeElement === $("table");
    const page = Math.max(1, Math.floor($("table").clientHeight / table.height) - 2);
    const moves = { j: 1, k: -1 };
    if (inTable) Object.assign(moves, { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -table.rows.length, End: table.rows.length });
    if (event.key in moves) { event.preventDefault(); step(moves[event.key]); }
    else if (event.key === "Enter" && inTable && table.active >= 0) { event.preventDefault(); openRow(table.rows[table.active]); }
    else if (event.key === "/") { event.preventDefault(); $("search").focus(); $("search").select(); $("cases").scrollIntoView(); }
  });
}

function bindTheme() {
  const root = document.documentElement, toggle = $("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const kept = { get() { try { return localStorage.getItem("evalkit-theme"); } catch { return null; } }, set(value) { try { localStorage.setItem("evalkit-theme", value); } catch { /* a file may have no storage */ } } };
  const now = () => root.dataset.theme ?? (dark.matches ? "dark" : "light");
  const name = () => { toggle.textContent = now() === "dark" ? "Light" : "Dark"; };
  if (["light", "dark"].includes(kept.get())) root.dataset.theme = kept.get();
  toggle.addEventListener("click", () => { root.dataset.theme = now() === "dark" ? "light" : "dark"; kept.set(root.dataset.theme); name(); });
  dark.addEventListener("change", name);
  toggle.hidden = false;
  name();
}
