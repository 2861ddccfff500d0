// The call page saves itself, and fetches anew what depends on the answers. Without this file there is one Save.
"use strict";

import { addBases, based, forget, form, own, says, tries, typing, unsaved } from "./call_fields.js";
import { openQuestion, savesBy } from "./call_keys.js";
import { entered, renew, whenBack } from "./call_login.js";
import { merge, outdated, showConflicts, watchSaving } from "./call_parts.js";

history.replaceState(null, "", says.page); // a page that came back with a fault is loaded again as itself
const PAUSE = 1000; // ms after the last key
const MOST = 1500; // ms after the first key that is not saved, however fast one types
const WAITS = [2, 4, 8, 15]; // seconds between tries
const ALWAYS = ["csrfmiddlewaretoken", "turn", "who"];
const title = document.title;

let edits = 0;
let timer = 0;
let since = 0; // when the first of the unsaved words was written
let leaving = false;
let over = false;

const edit = (event, at) => {
  if (!own(event.target)) return;
  unsaved.set(event.target.name, ++edits);
  since ||= performance.now();
  clearTimeout(timer);
  timer = setTimeout(save, Math.max(0, Math.min(at, since + MOST - performance.now())));
};
document.addEventListener("input", (event) => edit(event, PAUSE));
document.addEventListener("change", (event) => {
  if (!typing(event.target)) edit(event, 0);
  else if (unsaved.has(event.target.name)) save(); // left: no need to wait for the pause
});
const wrongOf = (page) => page.getElementById("call-errors").dataset.names.split(" ").filter(Boolean);
for (const name of wrongOf(document)) unsaved.set(name, 0);

// ---------- Saving: one request at a time, with the fields that were edited and no other ----------
let running = false;
let asking = false; // a request is on its way
let wanted = false;
let failed = 0;
let extras = [];
let waiting = [];
watchSaving(() => running);
whenBack(() => save(), () => asking);
savesBy(save);

// Resolves to whether everything is saved, once the server has answered or could not be reached.
export function save(extra) {
  clearTimeout(timer);
  if (Array.isArray(extra)) extras.push(extra);
  wanted = true;
  const done = new Promise((resolve) => waiting.push(resolve));
  if (over) answer(false);
  else if (!running) run();
  return done;
}

function answer(fine) {
  const asked = waiting;
  waiting = [];
  asked.forEach((resolve) => resolve(fine));
}

async function run() {
  running = true;
  while (wanted && !over) {
    await entered();
    wanted = false;
    since = 0;
    const sent = new Map(unsaved);
    const started = edits;
    const more = extras;
    const then = waiting;
    extras = [];
    waiting = [];
    let fine = false;
    try {
      asking = true;
      const page = await send(sent, more);
      failed = 0;
      if (page) fine = take(page, sent, started);
    } catch {
      extras = [...more, ...extras];
      clearTimeout(timer);
      timer = setTimeout(save, 1000 * WAITS[Math.min(failed++, WAITS.length - 1)]);
      wanted = false;
      answer(false);
    } finally {
      asking = false;
    }
    then.forEach((resolve) => resolve(fine));
  }
  running = false;
  if (over) answer(false);
}

// The server has answered: what was sent is saved, but for what was edited since and what was wrong.
function take(page, sent, started) {
  const wrong = wrongOf(page);
  for (const [name, edited] of sent) {
    if (wrong.includes(name)) continue;
    based(name, page);
    if (unsaved.get(name) === edited) unsaved.delete(name);
  }
  merge(page, started);
  showConflicts(page);
  if (wrong.length) shout(says.refused);
  else hush();
  return !wrong.length;
}

function bodyOf(sent, more) {
  const body = new URLSearchParams();
  const data = new FormData(form);
  for (const [name, value] of data) {
    if (ALWAYS.includes(name) || sent.has(name) || (name === "present" && sent.has(value))) body.append(name, value);
  }
  addBases(body, new Set([...sent.keys(), ...more.map(([, value]) => value.split(" ")[0]), "urgency"]));
  for (const [name, value] of more) body.append(name, value);
  tries(data, sent.keys());
  return body;
}

const post = (body, more) => fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true" }, ...more });

async function send(sent, more) {
  let response;
  try {
    response = await post(bodyOf(sent, more), { signal: AbortSignal.timeout(10000) });
  } catch (error) {
    shout(says.unsaved);
    throw error;
  }
  if (response.status === 409) {
    over = true;
    shout(says.over);
    return null;
  }
  if (response.redirected || response.status === 403) {
    shout(says.out);
    if ((await renew()) === "other") shout(says.other);
    throw new Error("logged out");
  }
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  if (![200, 422].includes(response.status) || !page.getElementById("call-form")) {
    shout(says.unsaved);
    throw new Error("not saved");
  }
  return page;
}

// ---------- What is not saved is said loudly: in the bar, aloud, and in the title ----------
function shout(text) {
  document.title = `${says.unsavedTitle}: ${title}`;
  for (const place of document.querySelectorAll("[data-saved-mark]")) {
    place.textContent = text;
    place.classList.add("unsaved");
    outdated(place.id);
  }
  for (const name of unsaved.keys()) for (const one of document.getElementsByName(name)) one.classList.add("not-saved");
  news(text);
}

function hush() {
  if (document.title === title) return; // what goes on as it should is not read aloud
  document.title = title;
  for (const one of document.querySelectorAll(".not-saved")) one.classList.remove("not-saved");
  news("");
}

function news(text) {
  const place = document.getElementById("save-news");
  if (place.textContent === text) return;
  place.textContent = text || says.saved;
  if (!text) setTimeout(() => { if (place.textContent === says.saved) place.textContent = ""; }, 3000);
}

// ---------- Buttons that save; leaving ----------
form.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (leaving) return;
  event.preventDefault();
  if (button && button.hasAttribute("formaction")) finish(button);
  else if (button && ["clear", "take", "keep", "both"].includes(button.name)) choose(button);
  else save(button && button.name ? [button.name, button.value] : undefined);
});

// Everything is saved before the page is left: then nothing can be lost on the way.
async function finish(button) {
  if (!(await save())) {
    document.querySelector(".error-summary")?.focus();
    return;
  }
  leaving = true;
  if (button.isConnected) form.requestSubmit(button);
  else document.getElementById(button.id)?.click();
}

// An answer is taken away, or one chooses between one's own words and those of another window.
async function choose(button) {
  const name = button.value.split(" ")[0];
  if (["clear", "take"].includes(button.name)) forget(name);
  button.blur();
  await save([button.name, button.value]);
  if (button.name === "clear") openQuestion(name.slice(2));
  else document.querySelector(`[form="call-form"][name="${name}"], #call-form [name="${name}"]:not([type=hidden])`)?.focus();
}

// While the browser asks whether to leave, it is saved: who loads the page again finds what was written.
window.addEventListener("beforeunload", (event) => {
  if (leaving || !(unsaved.size || running)) return;
  event.preventDefault();
  if (unsaved.size) save();
});
window.addEventListener("pageshow", () => { leaving = false; });
window.addEventListener("online", () => { if (unsaved.size) save(); });
document.addEventListener("visibilitychange", () => { if (document.hidden && unsaved.size) save(); });
// The page goes away: what is not saved goes with a request that outlives it, also while another is on its way.
window.addEventListener("pagehide", () => {
  if (unsaved.size && !over && !leaving) post(bodyOf(unsaved, []), { keepalive: true }).catch(() => {});
});
// Finishing sends what was edited here and no other field: an older window takes nothing from a newer one.
form.addEventListener("formdata", ({ formData }) => {
  if (!leaving) return;
  const always = [...ALWAYS, "urgency", "base.urgency", "void_reason", "again_number", "again_phrase"];
  const kept = [...formData].filter(([name, value]) => {
    return always.includes(name) || unsaved.has(name.replace(/^base\./, "")) || (name === "present" && unsaved.has(value));
  });
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
