// The calculator: rows come and go, the plan is printed. Everything else is htmx's.
(() => {
  const form = document.getElementById("calculator");
  const changed = () => form.dispatchEvent(new Event("change", { bubbles: true }));

  document.addEventListener("click", (event) => {
    const remove = event.target.closest("[data-remove-row]");
    if (remove) {
      const row = remove.closest(".event-row");
      const next = row.nextElementSibling || row.previousElementSibling;
      (next?.querySelector("select") || document.querySelector("[data-add-row]")).focus();
      row.remove();
      changed();
    }
    if (event.target.closest("[data-print]")) window.print();
  });

  // A new row takes the focus, so that one types on.
  document.addEventListener("htmx:load", (event) => {
    if (event.detail.elt.matches(".event-row")) event.detail.elt.querySelector("select").focus();
  });
})();
