// Several suites in one run have a tab each, which chooses the cases, too.
function pickSuite(number) {
  query.suite = number;
  query.outcome = "";
  for (const tab of document.querySelectorAll("[role=tab]")) {
    const on = tab.dataset.suite === (number < 0 ? "all" : String(number));
    tab.setAttribute("aria-selected", String(on));
    tab.tabIndex = on ? 0 : -1;
  }
  for (const section of document.querySelectorAll(".suite")) section.hidden = Number(section.dataset.number) !== number;
  document.querySelector(".overview").parentElement.hidden = number >= 0;
  fillOutcomes();
  drawHead();
  refresh();
}

function fillTabs() {
  const tabs = [...document.querySelectorAll("[role=tab]")];
  if (!tabs.length) return;
  tabs[0].parentElement.hidden = false;
  const numberOf = (element) => (element.dataset.suite === "all" ? -1 : Number(element.dataset.suite));
  tabs.forEach((tab, place) => {
    tab.addEventListener("click", () => pickSuite(numberOf(tab)));
    tab.addEventListener("keydown", (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!by) return;
      const next = tabs[(place + by + tabs.length) % tabs.length];
      next.focus();
      pickSuite(numberOf(next));
    });
  });
  for (const link of document.querySelectorAll("a[data-suite]")) {
    link.addEventListener("click", (event) => { event.preventDefault(); pickSuite(numberOf(link)); tabs[numberOf(link) + 1].focus(); });
  }
  pickSuite(-1);
}
