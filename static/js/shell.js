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

  // --- the drawer ---------------------------------------------------------------------------------------
  // Sliding in takes a while, on a slow phone a long one, and at its end the drawer would take the focus out of the
  // field somebody is typing in by now, and his digits with it. So it can't be focused until it stands.
  drawer.addEventListener("show.bs.offcanvas", () => drawer.removeAttribute("tabindex"));
  drawer.addEventListener("shown.bs.offcanvas", () => { drawer.tabIndex = -1; });
  drawer.addEventListener("hidden.bs.offcanvas", () => {
    if (opened && opened.isConnected) opened.focus();
    opened = null;
  });
  let opened = null;

  function openDrawer(opener) {
    drawerTitle.textContent = opener.dataset.drawerTitle || opener.textContent.trim();
    const source = opener.dataset.drawer;
    drawerBody.replaceChildren(fragment(source || "skeleton"));
    panel().show();
    if (drawer.contains(opener)) return;
    opened = opener;
    drawerTitle.focus();
  }

  // With a keyboard at hand one types on at once; on a touch screen that would push the form away under the keys.
  document.addEventListener("htmx:load", (event) => {
    if (document.activeElement !== drawerTitle || !drawerBody.contains(event.detail.elt) || !matchMedia("(pointer: fine)").matches) return;
    const fields = drawerBody.querySelectorAll("form input:not([type=hidden]), form select, form textarea");
    [...fields].find((field) => field.tabIndex >= 0 && !field.disabled)?.focus();
  });

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
