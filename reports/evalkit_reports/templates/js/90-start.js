// What happens when the page opens.
async function start() {
  bindTheme();
  document.documentElement.classList.add("js");
  for (const command of document.querySelectorAll(".command")) {
    const text = command.querySelector("pre").textContent;
    command.append(copyButton(() => text));
  }
  if (typeof DecompressionStream === "undefined") {
    $("rows").replaceChildren();
    complain("This browser is too old to unpack the cases. Everything above is complete.");
    return;
  }
  await data.open();
  bindPage();
  addEventListener("hashchange", followHash);
  addEventListener("popstate", followHash);
  followHash();
  document.documentElement.dataset.ready = "yes";
  if (data.sides) document.documentElement.dataset.searchable = "when asked"; // then all side files are read
  else setTimeout(readTexts, 200);
}

start().catch((error) => { complain(`The cases cannot be shown: ${error}`); throw error; });
