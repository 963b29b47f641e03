// The approver's keys: A, D and R choose, Ctrl Enter sends. Nothing happens while somebody types.
const panel = document.querySelector(".review-panel");
const choices = { a: "approved", d: "declined", r: "returned" };

document.addEventListener("keydown", (event) => {
  if (!panel) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    panel.requestSubmit();
    return;
  }
  const typing = event.target.closest("input:not([type=radio]), textarea, select");
  const choice = choices[event.key.toLowerCase()];
  if (typing || !choice || event.ctrlKey || event.metaKey || event.altKey) return;
  const radio = panel.querySelector(`input[name=outcome][value=${choice}]`);
  if (radio) {
    radio.click();
    radio.focus();
  }
});
