// The keys, in a dialog that `?` opens.
function bindHelp() {
  const help = $("help");
  const open = () => { if (!help.open) help.showModal(); };
  document.addEventListener("keydown", (event) => {
    if (event.key !== "?" || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
    event.preventDefault();
    open();
  });
  $("keys").addEventListener("click", open);
  $("keys").hidden = false;
  help.addEventListener("click", (event) => { if (event.target === help || event.target.closest("[data-close]")) help.close(); });
}
