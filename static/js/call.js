// The call page saves itself, and fetches anew what depends on the answers. Without this file there is one Save.
"use strict";

(function () {
  const form = document.getElementById("call-form");
  if (!form) return;
  const says = form.dataset;
  history.replaceState(null, "", says.page); // a page that came back with a fault is loaded again as itself
  const PAUSE = 1200; // ms after the last key
  const WAITS = [2, 4, 8, 15]; // seconds between tries
  const own = (element) => element.form === form && element.name && !["turn", "present", "void_reason"].includes(element.name) && element.type !== "submit" && element.type !== "hidden";
  const typing = (element) => element.matches("textarea, select, input:not([type=radio]):not([type=checkbox])");
  const field = (element) => own(element) || (element.matches && element.matches("input, textarea, select"));

  // ---------- What is not saved yet: name of a field -> the number of its latest edit ----------
  const unsaved = new Map();
  let edits = 0;
  let timer = 0;
  let pressed = false;
  let leaving = false;
  let over = false;

  const edit = (event, at) => {
    if (!own(event.target)) return;
    unsaved.set(event.target.name, ++edits);
    clearTimeout(timer);
    timer = setTimeout(save, at);
  };
  document.addEventListener("input", (event) => edit(event, PAUSE));
  document.addEventListener("change", (event) => {
    if (!typing(event.target)) edit(event, 0);
    else if (unsaved.has(event.target.name)) save(); // left: no need to wait for the pause
  });
  for (const name of document.getElementById("call-errors").dataset.names.split(" ")) if (name) unsaved.set(name, 0);

  // ---------- Saving: one request at a time, with the fields that were edited and no other ----------
  let running = false;
  let wanted = false;
  let tries = 0;
  let extras = [];
  let waiting = [];

  function save(extra) {
    clearTimeout(timer);
    if (extra) extras.push(extra);
    wanted = true;
    const done = new Promise((resolve) => waiting.push(resolve));
    if (!running && !over) run();
    return done;
  }

  async function run() {
    running = true;
    while (wanted) {
      wanted = false;
      const sent = new Map(unsaved);
      const started = edits;
      const more = extras;
      const then = waiting;
      extras = [];
      waiting = [];
      try {
        const page = await send(sent, more);
        if (!page) break;
        tries = 0;
        settle(sent, page);
        merge(page, started);
        if (page.getElementById("call-errors").dataset.names) mark(says.refused);
        else news("");
        then.forEach((resolve) => resolve());
      } catch {
        extras = [...more, ...extras];
        waiting = [...then, ...waiting];
        timer = setTimeout(save, 1000 * WAITS[Math.min(tries++, WAITS.length - 1)]);
        break;
      }
    }
    running = false;
  }

  function bodyOf(sent, more) {
    const body = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      const always = name === "csrfmiddlewaretoken" || name === "turn";
      if (always || sent.has(name) || (name === "present" && sent.has(value))) body.append(name, value);
    }
    for (const [name, value] of more) body.append(name, value);
    return body;
  }

  async function send(sent, more) {
    const body = bodyOf(sent, more);
    let response;
    try {
      response = await fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true" }, signal: AbortSignal.timeout(10000) });
    } catch (error) {
      mark(says.unsaved);
      throw error;
    }
    if (response.status === 409) {
      over = true;
      mark(says.over);
      return null;
    }
    if (response.redirected || response.status === 403) {
      mark(says.out);
      await renew();
      throw new Error("logged out");
    }
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (![200, 422].includes(response.status) || !page.getElementById("call-form")) {
      mark(says.unsaved);
      throw new Error("not saved");
    }
    return page;
  }

  // Logged in again in another window: the form takes the new session's key.
  async function renew() {
    const response = await fetch(says.page);
    if (response.redirected || !response.ok) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const key = page.querySelector("#call-form [name=csrfmiddlewaretoken]");
    if (key) form.elements.csrfmiddlewaretoken.value = key.value;
  }

  // What was sent is saved, but for what has been edited since and what was wrong.
  function settle(sent, page) {
    const wrong = page.getElementById("call-errors").dataset.names.split(" ");
    for (const [name, edited] of sent) {
      if (unsaved.get(name) === edited && !wrong.includes(name)) unsaved.delete(name);
    }
  }

  function mark(text) {
    for (const place of document.querySelectorAll("[data-saved-mark]")) {
      place.textContent = text;
      place.classList.add("unsaved");
      server.delete(place.id);
    }
    news(text);
  }

  function news(text) {
    const place = document.getElementById("save-news");
    if (place.textContent === text) return;
    place.textContent = text || says.saved;
    if (!text) setTimeout(() => { if (place.textContent === says.saved) place.textContent = ""; }, 3000);
  }

  // ---------- Merging: a part that holds the cursor, or words newer than the answer, stays as it is until it is free ----------
  const server = new Map(); // id -> the part as the server last gave it, so that what is the same stays untouched
  let latest = null;
  const parts = (root) => root.querySelectorAll("[data-part], [data-keyed] > [id]");
  for (const part of parts(document)) server.set(part.id, part.outerHTML);

  function busy(part, started) {
    const active = document.activeElement;
    if (part.contains(active) && (field(active) || part.hasAttribute("data-hold"))) return true;
    return Array.from(part.querySelectorAll("input, textarea, select")).some((one) => unsaved.get(one.name) > started);
  }

  function replace(now, next, started) {
    const html = next.outerHTML;
    if (server.get(now.id) === html) return now;
    if (busy(now, started)) {
      latest.waits = true;
      return now;
    }
    const node = document.importNode(next, true);
    for (const kept of [node, ...node.querySelectorAll("details[id]")]) keepOpen(kept);
    const focused = now.contains(document.activeElement) ? document.activeElement.id : null;
    now.replaceWith(node);
    server.set(node.id, html);
    if (focused !== null) refocus(focused, node);
    return node;
  }

  // What the worker has opened or closed by hand stays so; the rest follows the server.
  function keepOpen(part) {
    const before = part.matches("details[data-keep]") && document.getElementById(part.id);
    if (!before || part.querySelector(".is-invalid")) return;
    const given = /^<details[^>]* open/.test(server.get(part.id) || "");
    if (before.open !== given) part.open = before.open;
  }

  function refocus(id, node) {
    const target = (id && document.getElementById(id)) || node.querySelector("summary, input, button") || node;
    target.focus({ preventScroll: true });
  }

  function keyed(now, next, started) {
    const nodes = Array.from(next.children, (child) => {
      const old = document.getElementById(child.id);
      if (old) return replace(old, child, started);
      server.set(child.id, child.outerHTML);
      return document.importNode(child, true);
    });
    for (const old of Array.from(now.children)) {
      if (nodes.includes(old)) continue;
      if (busy(old, started)) nodes.push(old);
      else old.remove();
    }
    const same = nodes.length === now.children.length && nodes.every((node, place) => node === now.children[place]);
    if (same) return;
    const pinned = nodes.findIndex((node) => node.contains(document.activeElement)); // moving it would lose the cursor
    nodes.forEach((node, place) => {
      if (place < pinned) now.insertBefore(node, nodes[pinned]);
      else if (place > pinned) now.append(node);
    });
  }

  function merge(page, started) {
    if (pressed) { // a button of the mouse is down: what is under it stays until it is up
      latest = { page, started, waits: true };
      tidy();
      return;
    }
    latest = { page, started, waits: false };
    for (const next of page.querySelectorAll("[data-part]")) {
      const now = document.getElementById(next.id);
      if (!now) continue;
      const put = replace(now, next, started);
      if (put !== now && put.id.startsWith("acute-")) document.dispatchEvent(new CustomEvent("htmx:afterSettle", { detail: { elt: document } }));
    }
    for (const next of page.querySelectorAll("[data-keyed]")) keyed(document.getElementById(next.id), next, started);
  }

  // When the cursor has left what waited, and no button of the mouse is down, it is put in order.
  const tidy = () => setTimeout(() => {
    if (!latest || !latest.waits || running) return;
    if (pressed) tidy();
    else merge(latest.page, latest.started);
  }, 300);
  document.addEventListener("focusout", tidy);
  document.addEventListener("pointerdown", () => { pressed = true; });
  for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => { pressed = false; });

  // ---------- Buttons that save; leaving ----------
  form.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (button && button.hasAttribute("formaction")) {
      leaving = true;
      return;
    }
    event.preventDefault();
    if (button && button.name === "clear") clear(button);
    else save(button && button.name ? [button.name, button.value] : undefined);
  });
  const clear = async (button) => {
    unsaved.delete(button.value);
    button.blur();
    await save([button.name, button.value]);
    open(button.value.slice(2));
  };
  window.addEventListener("beforeunload", (event) => {
    if (!leaving && (unsaved.size || running)) event.preventDefault();
  });
  window.addEventListener("pageshow", () => { leaving = false; });
  window.addEventListener("online", () => { if (unsaved.size) save(); });
  document.addEventListener("visibilitychange", () => { if (document.hidden && unsaved.size) save(); });
  // The page goes away: what is not saved goes with a request that outlives it, also while another is on its way.
  window.addEventListener("pagehide", () => {
    if (!unsaved.size || over || leaving) return;
    fetch(form.action, { method: "POST", body: bodyOf(unsaved, []), headers: { "HX-Request": "true" }, keepalive: true }).catch(() => {});
  });
  // Finishing sends what was edited here and no other field: an older window takes nothing from a newer one.
  form.addEventListener("formdata", ({ formData }) => {
    const always = ["csrfmiddlewaretoken", "turn", "urgency", "void_reason"];
    const kept = [...formData].filter(([name, value]) => always.includes(name) || unsaved.has(name) || (name === "present" && unsaved.has(value)));
    for (const name of new Set(formData.keys())) formData.delete(name);
    for (const [name, value] of kept) formData.append(name, value);
  });

  // ---------- The time that has passed ----------
  const clock = document.getElementById("elapsed");
  const before = Number(clock.dataset.seconds) * 1000 - performance.now();
  setInterval(() => {
    const minutes = Math.floor((before + performance.now()) / 60000);
    const text = minutes < 60 ? says.minutes : says.hours;
    clock.textContent = text.replace("{h}", Math.floor(minutes / 60)).replace("{m}", minutes % 60);
  }, 5000);

  // ---------- Keys and links ----------
  const open = (key) => {
    const question = document.getElementById(`q-${key}`);
    if (!question) return;
    if (question.matches(".later")) document.getElementById("guide-more").open = true;
    const folded = question.querySelector("details");
    if (folded) folded.open = true;
    const first = question.querySelector(":checked, input:not([type=hidden]), textarea, select");
    if (first) first.focus();
  };

  const turnTo = async (key) => {
    form.elements.turn.value = key;
    if (document.activeElement) document.activeElement.blur();
    if (navigator.onLine && !tries) await save();
    open(key);
  };

  const nextUnanswered = () => {
    const waitingNow = Array.from(document.querySelectorAll("#guide-list > .current, #guide-list > .open, #guide-list > .later"));
    if (!waitingNow.length) return;
    const here = waitingNow.findIndex((question) => question.contains(document.activeElement));
    if (here < 0) open(waitingNow[0].id.slice(2));
    else turnTo(waitingNow[(here + 1) % waitingNow.length].id.slice(2));
  };

  const toAcute = () => {
    const first = document.querySelector("#acute-list .current input, #acute-list summary");
    if (first) first.focus();
  };

  const toNotes = () => {
    const chosen = Array.from(document.querySelectorAll(".note-tabs input")).findIndex((tab) => tab.checked);
    document.querySelectorAll("#notes textarea")[Math.max(chosen, 0)].focus();
  };

  const toDecide = () => {
    const first = document.querySelector("#decide button, #decide summary");
    if (first) first.focus();
  };

  const choose = (key) => {
    const radio = document.querySelector(`[data-key-of="${key}"]`);
    if (!radio || radio.checked) return;
    radio.checked = true;
    radio.dispatchEvent(new Event("change", { bubbles: true }));
  };

  const showKeys = () => {
    const keys = document.getElementById("keys");
    keys.open = !keys.open;
    keys.querySelector("summary").focus();
  };

  const KEYS = { a: toAcute, j: nextUnanswered, t: toNotes, b: toDecide, "?": showKeys };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing || typing(event.target)) return;
    const key = event.key.toLowerCase();
    const act = /^[1-9]$/.test(key) ? () => choose(key) : KEYS[key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  document.addEventListener("click", (event) => {
    const skip = event.target.closest("a.skip");
    if (!skip) return;
    event.preventDefault();
    turnTo(skip.dataset.turn);
  });

  // The caller type that was chosen under "Other" stands on its button.
  document.addEventListener("change", (event) => {
    if (event.target.name !== "caller_type") return;
    const menu = event.target.closest("#other-callers");
    const summary = document.getElementById("other-caller");
    summary.textContent = menu ? event.target.nextElementSibling.textContent : summary.dataset.other;
    if (menu && !event.target.matches(":focus-visible")) menu.open = false;
  });
})();
