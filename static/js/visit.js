// On site: the position by a button (data-locate says what the names of its two fields start with), photos sent as soon as they are taken.
(() => {
  const locate = document.querySelector("[data-locate]");
  const put = (name, value) => {
    const input = document.querySelector(`[name="${name}"]`);
    input.value = value.toFixed(6);
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };

  if (locate) {
    const note = document.querySelector("[data-locate-state]");
    locate.addEventListener("click", () => {
      if (!navigator.geolocation) { note.textContent = note.dataset.failed; return; }
      locate.setAttribute("aria-busy", "true");
      navigator.geolocation.getCurrentPosition(
        ({ coords }) => {
          locate.removeAttribute("aria-busy");
          put(`${locate.dataset.locate}latitude`, coords.latitude);
          put(`${locate.dataset.locate}longitude`, coords.longitude);
          note.textContent = note.dataset.taken.replace("%s", Math.round(coords.accuracy));
        },
        () => { locate.removeAttribute("aria-busy"); note.textContent = note.dataset.failed; },
        { enableHighAccuracy: true, timeout: 15000 },
      );
    });
  }

  document.querySelectorAll("form[data-photo]").forEach((form) => {
    form.addEventListener("change", async () => {
      form.setAttribute("aria-busy", "true");
      if (window.xwFlush) await window.xwFlush();
      form.requestSubmit();
    });
  });
})();
