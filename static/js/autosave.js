// Saved as typed: each changed field is sent by itself and what follows from it is drawn anew. What could not be sent
// stays on this device and goes out once there is a signal again.
(() => {
  const form = document.querySelector("form[data-autosave]");
  if (!form) return;
  const STORE = `unsaved:${form.dataset.autosave}`;
  const WAIT_MS = 700;
  const waiting = new Map(JSON.parse(localStorage.getItem(STORE) || "[]"));
  const saved = new Map();
  let timer = 0;
  let sending = null;
  let stopped = false;

  const inputs = (name) => [...form.querySelectorAll(`[name="${CSS.escape(name)}"]`)];
  const state = () => document.getElementById("saved-state");

  function valueOf(name) {
    const group = inputs(name);
    const radio = group.find((input) => input.type === "radio");
    return radio ? (group.find((input) => input.checked) || { value: "" }).value : group[0].value;
  }

  function show(name, value) {
    for (const input of inputs(name)) {
      if (input.type === "radio") input.checked = input.value === value;
      else input.value = value;
    }
  }

  function store() {
    if (waiting.size) localStorage.setItem(STORE, JSON.stringify([...waiting]));
    else localStorage.removeItem(STORE);
  }

  function keptHere() {
    const time = new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
    state().textContent = form.dataset.kept.replace("%s", time);
  }

  // Every part of the answer takes the place of the part of the same name. What belongs to a field is left alone
  // unless that field was sent: somebody may be typing there.
  function draw(html, names) {
    const holder = document.createElement("template");
    holder.innerHTML = html;
    let drawn = false;
    for (const fresh of [...holder.content.children]) {
      const field = fresh.dataset.field;
      const old = fresh.id && document.getElementById(fresh.id);
      if (!old || (field && !names.includes(field))) continue;
      old.replaceWith(fresh);
      window.htmx.process(fresh);
      drawn = true;
    }
    return drawn;
  }

  function failed() {
    document.getElementById("form-notice").replaceChildren(document.getElementById("request-failed").content.cloneNode(true));
  }

  async function post(batch) {
    const body = new FormData();
    body.set("partial", "1");
    body.set("version", document.getElementById("version").value);
    body.set("csrfmiddlewaretoken", form.querySelector("[name=csrfmiddlewaretoken]").value);
    for (const [name, value] of batch) body.set(name, value);
    return fetch(form.getAttribute("action"), { method: "POST", body, headers: { "HX-Request": "true" } });
  }

  async function sendBatch() {
    const batch = new Map(waiting);
    let response;
    try {
      response = await post(batch);
    } catch {
      return keptHere();
    }
    // The session ended: what was typed stays here, and comes back after signing in.
    if (response.redirected) return location.reload();
    if (response.status >= 500) return keptHere();
    for (const [name, value] of batch) {
      if (waiting.get(name) === value) waiting.delete(name);
      saved.set(name, value);
    }
    store();
    // Refused because of a newer version, or no right to it any more: typing on would be lost.
    stopped = [403, 404, 412].includes(response.status);
    if (!draw(await response.text(), [...batch.keys()])) failed();
    return waiting.size && !stopped ? sendBatch() : null;
  }

  function send() {
    clearTimeout(timer);
    if (stopped || !waiting.size) return sending || Promise.resolve();
    sending ||= sendBatch().finally(() => { sending = null; });
    return sending;
  }

  function changed(name, atOnce) {
    const value = valueOf(name);
    if (value === saved.get(name) && !waiting.has(name)) return;
    waiting.set(name, value);
    store();
    clearTimeout(timer);
    timer = setTimeout(send, atOnce ? 0 : WAIT_MS);
  }

  const isField = (element) => element.name && !["csrfmiddlewaretoken", "version"].includes(element.name);
  form.addEventListener("input", (event) => { if (isField(event.target)) changed(event.target.name, event.target.type === "radio"); });
  form.addEventListener("change", (event) => { if (isField(event.target)) changed(event.target.name, true); });
  form.addEventListener("submit", (event) => { event.preventDefault(); send(); });
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-set]");
    if (!button) return;
    show(button.dataset.set, button.dataset.value);
    for (const other of form.querySelectorAll(`[data-set="${button.dataset.set}"]`)) other.setAttribute("aria-pressed", String(other === button));
    changed(button.dataset.set, true);
  });

  // A step is taken on what was typed, so that goes first.
  document.addEventListener("click", (event) => {
    const step = event.target.closest("[data-offer]");
    if (!step || !waiting.size || stopped) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    send().then(() => { if (!waiting.size) (document.querySelector(`[data-offer="${step.dataset.offer}"]`) || step).click(); });
  }, true);

  for (const input of form.elements) if (isField(input)) saved.set(input.name, valueOf(input.name));
  window.xwFlush = send;
  addEventListener("online", send);
  for (const [name, value] of waiting) if (inputs(name).length) show(name, value); else waiting.delete(name);
  if (waiting.size) send();
})();
