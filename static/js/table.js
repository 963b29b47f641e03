// Lists: choices are sent at once, columns can be hidden and stay so on this device.
(() => {
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-send]")) event.target.form.requestSubmit();
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-filters]");
    if (!button) return;
    const panel = document.getElementById(button.getAttribute("aria-controls"));
    panel.hidden = !panel.hidden;
    button.setAttribute("aria-expanded", String(!panel.hidden));
  });

  const table = document.querySelector("[data-table]");
  const menu = document.querySelector("[data-columns]");
  if (!table || !menu) return;
  const key = `columns:${table.dataset.table}`;
  const hidden = new Set(JSON.parse(localStorage.getItem(key) || "[]"));
  const heads = [...table.querySelectorAll("thead th")];

  function show() {
    for (const row of table.rows) {
      heads.forEach((head, index) => {
        if (row.cells[index]) row.cells[index].hidden = hidden.has(head.textContent.trim());
      });
    }
    localStorage.setItem(key, JSON.stringify([...hidden]));
  }

  const title = document.createElement("h3");
  title.className = "dropdown-header";
  title.textContent = menu.dataset.columns;
  menu.append(title);
  heads.slice(1).forEach((head) => {
    const name = head.textContent.trim();
    const label = document.createElement("label");
    label.className = "dropdown-item form-check";
    const box = document.createElement("input");
    box.type = "checkbox";
    box.className = "form-check-input";
    box.checked = !hidden.has(name);
    box.addEventListener("change", () => {
      if (box.checked) hidden.delete(name);
      else hidden.add(name);
      show();
    });
    label.append(box, name);
    menu.append(label);
  });
  menu.addEventListener("click", (event) => event.stopPropagation());
  show();
})();
