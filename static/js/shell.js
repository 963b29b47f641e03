// The frame: search key, evidence drawer, copy buttons, lost connections.
(() => {
  const drawer = document.getElementById("drawer");
  const drawerBody = document.getElementById("drawer-body");
  const drawerTitle = document.getElementById("drawer-title");
  const fragment = (id) => document.getElementById(id).content.cloneNode(true);
  const panel = () => window.tabler.Offcanvas.getOrCreateInstance(drawer);

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      const find = document.getElementById("find");
      find.focus();
      find.select();
    }
  });

  async function copy(button) {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.setAttribute("aria-label", button.dataset.done);
    button.title = button.dataset.done;
    button.classList.add("ink-good");
    setTimeout(() => button.classList.remove("ink-good"), 1500);
  }

  function openDrawer(opener) {
    drawerTitle.textContent = opener.dataset.drawerTitle || opener.textContent.trim();
    const source = opener.dataset.drawer;
    drawerBody.replaceChildren(fragment(source || "skeleton"));
    panel().show();
  }

  document.addEventListener("click", (event) => {
    const element = event.target.closest("[data-copy], [data-drawer], [data-drawer-title], [data-dismiss]");
    if (!element) return;
    if (element.matches("[data-copy]")) copy(element);
    else if (element.matches("[data-dismiss]")) element.closest(".notice").remove();
    else openDrawer(element);
  });

  // A page opened from the back button must not show a drawer of before.
  addEventListener("pagehide", () => panel().hide());

  const banner = document.getElementById("offline");
  const showConnection = () => { if (banner) banner.hidden = navigator.onLine; };
  addEventListener("online", showConnection);
  addEventListener("offline", showConnection);
  showConnection();

  // Refused and invalid answers are pages meant for the person, so they are shown where they were asked for.
  document.addEventListener("htmx:beforeSwap", (event) => {
    // The session ended meanwhile: loading the page again leads through signing in and back to it.
    if (new URL(event.detail.xhr.responseURL || location.href).pathname.startsWith("/accounts/login")) {
      event.detail.shouldSwap = false;
      return location.reload();
    }
    const status = event.detail.xhr.status;
    if (status >= 400 && status < 500) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  });
  for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
    document.addEventListener(name, (event) => {
      const target = event.detail.target && drawer.contains(event.detail.target) ? drawerBody : document.getElementById("notices");
      target.prepend(fragment("request-failed"));
    });
  }
})();
