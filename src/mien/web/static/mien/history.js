// Ticks of a page of the history: all at once, and buttons that wait until something is ticked.
(() => {
  const list = document.getElementById("list");
  if (!list) return;
  const all = document.getElementById("all");
  const ticks = [...list.querySelectorAll("input[name=uid]")];
  const show = () => {
    const ticked = ticks.filter((tick) => tick.checked).length;
    all.checked = ticked === ticks.length;
    all.indeterminate = ticked > 0 && ticked < ticks.length;
    for (const button of list.querySelectorAll("[data-needs-choice]")) button.disabled = ticked === 0;
  };
  list.classList.add("with-script");
  all.addEventListener("change", () => {
    for (const tick of ticks) tick.checked = all.checked;
    show();
  });
  list.addEventListener("change", show);
  window.addEventListener("pageshow", show); // a browser that goes back remembers the ticks
  show();
})();
