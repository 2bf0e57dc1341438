// What makes the page of a run answer to its reader.
function bindPage() {
  fillTools();
  drawHead();
  bindTools();
  bindTable();
  bindKeys();
  bindHelp();
  bindPicks();
  bindPrint();
  bindScatters();
  fillTabs();
  if (data.suites.length < 2) refresh();
}
