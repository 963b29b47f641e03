// Rows chosen by their boxes: one box for all of the page, a count, and a button that waits for the first.
(() => {
  const bar = document.querySelector("[data-choose]");
  if (!bar) return;
  const boxes = [...document.querySelectorAll(`input[form="${bar.id}"][type="checkbox"][name="member_ids"]`)];
  const all = bar.querySelector("[data-choose-all]");
  const count = bar.querySelector("[data-choose-count]");
  const send = bar.querySelector("[data-choose-send]");

  function show() {
    const chosen = boxes.filter((box) => box.checked).length;
    count.textContent = count.dataset.chooseCount.replace("%s", chosen);
    send.disabled = !chosen;
    all.checked = Boolean(chosen) && chosen === boxes.length;
    all.indeterminate = Boolean(chosen) && chosen < boxes.length;
  }

  all.disabled = !boxes.length;
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    show();
  });
  for (const box of boxes) box.addEventListener("change", show);
  show();
})();
