// The product editor: shows a field only where it says something, tries the offer on the example as it is typed.
(() => {
  const form = document.getElementById("offer");
  const example = document.getElementById("example");
  if (!form || !example) return;

  // field → whether it says something, given what is chosen elsewhere
  const chosen = (name) => form.elements[name] && form.elements[name].value;
  const NEEDS = {
    due_day: () => chosen("due_day_rule") === "fixed",
    interest_follows_holiday: () => chosen("holiday_roll") !== "none",
    repricing: () => chosen("rate_kind") === "floating",
    repricing_months: () => chosen("rate_kind") === "floating" && chosen("repricing") === "every_months",
    surplus: () => form.elements.prepayment_allowed.checked,
  };

  function show() {
    for (const [name, wanted] of Object.entries(NEEDS)) {
      const field = form.querySelector(`[data-name="${name}"]`);
      if (field) field.hidden = !wanted();
    }
    const taken = new Set([...form.querySelectorAll("[name=guarantee_modes]:checked")].map((box) => box.value));
    for (const line of form.querySelectorAll(".caps-line")) line.hidden = !taken.has(line.dataset.mode);
  }

  // A fee typed into the last line asks for another line.
  function spareFee(event) {
    const fees = event.target.closest(".fees");
    const line = event.target.closest(".fee-line");
    if (!fees || line !== fees.lastElementChild || !event.target.value || fees.children.length >= 10) return;
    const next = line.cloneNode(true);
    for (const box of next.querySelectorAll("[name]")) {
      box.name = box.name.replace(/__(\d+)__/, (_, number) => `__${Number(number) + 1}__`);
      if (box.tagName === "INPUT") box.value = "";
    }
    fees.append(next);
  }

  let waiting;
  function tryIt() {
    show();
    clearTimeout(waiting);
    waiting = setTimeout(() => window.htmx.trigger(example, "tried"), 350);
  }

  document.addEventListener("input", (event) => {
    if (event.target.form !== form) return;
    spareFee(event);
    tryIt();
  });
  document.addEventListener("change", (event) => {
    if (event.target.form === form) tryIt();
  });
  show();
})();
