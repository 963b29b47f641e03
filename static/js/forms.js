// Forms: digits grouped as typed with the amount in 万元, nothing typed is lost, nothing is sent twice.
(() => {
  const PREFIX = "typed:";

  // --- money ---------------------------------------------------------------------------------------
  // A Chinese keyboard may give wide digits and 。 for the point.
  const bare = (text) => text.normalize("NFKC").replace(/。/g, ".").replace(/[,\s]/g, "");

  function grouped(text) {
    const match = bare(text).match(/^(\d*)(\.\d{0,2})?/);
    return match ? match[1].replace(/\B(?=(\d{3})+$)/g, ",") + (match[2] || "") : text;
  }

  function hint(input) {
    const amount = Number(bare(input.value));
    const place = input.parentElement.querySelector(".money-hint");
    if (!place) return;
    const wan = (amount / 10000).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
    place.textContent = input.value && Number.isFinite(amount) ? `${wan} ${place.dataset.unit}` : "";
  }

  function group(input, backwards) {
    if (!/^[\d.]*$/.test(bare(input.value))) return hint(input);
    const after = bare(input.value.slice(input.selectionStart)).length;
    input.value = grouped(input.value);
    let caret = input.value.length;
    for (let left = after; left > 0 && caret > 0; caret -= 1) if (input.value[caret - 1] !== ",") left -= 1;
    // Deleting backwards steps over a comma, or would stay behind it for ever.
    if (backwards && input.value[caret - 1] === ",") caret -= 1;
    if (document.activeElement === input) input.setSelectionRange(caret, caret);
    hint(input);
  }

  // --- what was typed survives a lost session, a closed lid, a wrong click; in this tab only ------------
  const keyOf = (form) => PREFIX + (form.dataset.keep || form.getAttribute("action") || location.pathname);
  const kept = (form) => [...form.elements].filter((e) => e.name && !["hidden", "password", "file", "submit"].includes(e.type) && e.tagName !== "BUTTON");

  function keep(form) {
    if (form.dataset.sent) return;
    const values = {};
    for (const element of kept(form)) {
      if (["checkbox", "radio"].includes(element.type)) {
        if (element.checked) (values[element.name] ||= []).push(element.value);
      } else values[element.name] = [element.value];
    }
    sessionStorage.setItem(keyOf(form), JSON.stringify(values));
    const note = form.querySelector("[data-kept]");
    if (!note) return;
    const time = new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
    note.textContent = note.dataset.kept.replace("%s", time);
    note.hidden = false;
  }

  function restore(form) {
    const stored = sessionStorage.getItem(keyOf(form));
    if (!stored || form.matches("[data-bound]")) return;
    const values = JSON.parse(stored);
    for (const element of kept(form)) {
      const given = values[element.name];
      if (["checkbox", "radio"].includes(element.type)) element.checked = Boolean(given && given.includes(element.value));
      else if (given) element.value = given[0];
    }
  }

  // --- wiring, on the page and on whatever htmx brings ------------------------------------------------
  function arm(root) {
    const all = (selector) => [...(root.matches?.(selector) ? [root] : []), ...root.querySelectorAll(selector)];
    all("form[data-keep]").forEach(restore);
    all("[data-money]").forEach(group);
    all("select[data-search]").forEach((select) => {
      if (window.TomSelect && !select.tomselect) new window.TomSelect(select, { maxOptions: 50, create: false });
    });
    const first = root.querySelector("form[data-bound] [data-focus]");
    if (first) first.focus();
  }

  document.addEventListener("input", (event) => {
    // An input method still composing owns the text until it is done.
    if (event.target.matches("[data-money]") && !event.isComposing) group(event.target, event.inputType === "deleteContentBackward");
    const form = event.target.closest("form[data-keep]");
    if (form) keep(form);
  });

  document.addEventListener("compositionend", (event) => {
    if (event.target.matches("[data-money]")) group(event.target);
  });

  document.addEventListener("click", (event) => {
    const eye = event.target.closest("[data-show-password]");
    if (!eye) return;
    const input = eye.parentElement.querySelector("input");
    input.type = input.type === "password" ? "text" : "password";
    eye.setAttribute("aria-pressed", String(input.type === "text"));
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) return event.preventDefault();
    if (form.method !== "post" || form.hasAttribute("hx-post")) return;
    form.dataset.sent = "1";
    if (event.submitter) event.submitter.setAttribute("aria-busy", "true");
    sessionStorage.setItem("sent", keyOf(form));
  });

  // Before anything is done with the answer: afterwards the form may be gone already, and htmx does not call an answer
  // that leads to another page a success. An answer from elsewhere is the sign-in page: nothing was accepted.
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const form = event.detail.elt;
    const { status, responseURL } = event.detail.xhr;
    if (!form.matches("form[data-keep]") || status < 200 || status > 299) return;
    if (new URL(responseURL).pathname !== new URL(form.getAttribute("action"), location.href).pathname) return;
    form.dataset.sent = "1";
    sessionStorage.removeItem(keyOf(form));
  });

  // A page that says so, or another page of the program, means it was accepted; the sign-in page or a refusal does not.
  const sent = sessionStorage.getItem("sent");
  if (sent && document.body.matches(".shell")) {
    sessionStorage.removeItem("sent");
    const here = [...document.querySelectorAll("form[data-keep]")].some((form) => keyOf(form) === sent);
    const accepted = document.querySelector("[data-accepted]") || (!here && !document.querySelector("[data-refused]"));
    if (accepted) sessionStorage.removeItem(sent);
  }
  addEventListener("pageshow", (event) => {
    if (event.persisted) document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
  });
  document.addEventListener("htmx:load", (event) => arm(event.detail.elt));
  arm(document);
})();
