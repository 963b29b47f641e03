// A page that watches work: where what came in by itself says where to go on, go there.
(() => {
  document.body.addEventListener("htmx:afterSettle", () => {
    const next = document.querySelector("a[data-go]");
    if (next) window.location.assign(next.href);
  });
})();
