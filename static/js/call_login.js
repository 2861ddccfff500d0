// Logging in again in place: the words stay in the page, and are saved in the name of who wrote them, or not at all.
"use strict";

import { form, says } from "./call_fields.js";

const dialog = document.getElementById("log-in");
const again = document.getElementById("log-in-again");
const asks = dialog.dataset;
const entry = dialog.querySelector("form");
const CALM = 1000; // ms without a key before the dialog takes the cursor
let step = "password"; // then "code", where the log-in asks for one
let typed = 0;
let later = false; // closed by hand: it does not come back by itself
let opening = 0;
let saved = () => {};
let asking = () => false;
let entering = Promise.resolve();

export const whenBack = (save, isAsking) => { saved = save; asking = isAsking; };
// While one logs in nothing else is asked: its answer would bring a session of its own.
export const entered = () => entering;

const asPage = async (response) => new DOMParser().parseFromString(await response.text(), "text/html");
const keyOf = (page) => page.querySelector("[name=csrfmiddlewaretoken]")?.value;

// Who is logged in, by a page of theirs; the page takes the key of their session where it is the one who wrote.
function meet(page) {
  const who = page.body.dataset.who;
  if (!who) return "out";
  if (who !== form.elements.who.value) {
    say(asks.other.replace("{name}", page.body.dataset.name));
    return "other";
  }
  const key = keyOf(page);
  if (!key) return "out";
  for (const field of document.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = key;
  document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": key }));
  return "back";
}

// Asked by the page itself: no sign that somebody is there.
export async function renew() {
  const found = meet(await asPage(await fetch(says.page, { headers: { "X-Quiet": "1" } })));
  if (found === "back") close();
  else ask();
  return found;
}

function ask() {
  again.hidden = false;
  if (dialog.open || later) return;
  clearTimeout(opening);
  const wait = typed + CALM - performance.now();
  if (wait > 0) opening = setTimeout(ask, wait); // in the middle of a word: what is typed is no password
  else open();
}

function open() {
  clearTimeout(opening);
  if (!dialog.open) dialog.showModal();
}

// Which of the two steps the dialog shows.
function show(which) {
  step = which;
  for (const part of entry.querySelectorAll("[data-step]")) part.hidden = part.dataset.step !== which;
}

function close() {
  later = false;
  clearTimeout(opening);
  again.hidden = true;
  say("");
  if (dialog.open) dialog.close();
}

const say = (text) => { dialog.querySelector("[role=alert]").textContent = text; };

async function send(to, page, names) {
  const body = new URLSearchParams(names.map((name) => [name, entry.elements[name].value]));
  body.set("csrfmiddlewaretoken", keyOf(page) || "");
  const response = await fetch(to, { method: "POST", body });
  if (response.status === 429) return "many";
  if (!response.ok && response.status !== 422) return "gone";
  page = await asPage(response);
  const found = meet(page);
  if (found !== "out") return found;
  if (page.querySelector("[name=password]")) return to === asks.code ? "begin" : "wrong";
  if (!page.querySelector("main [name=code]")) return "more"; // a passkey: the browser asks for it on a page alone
  const fault = page.querySelector(".error-summary li");
  if (fault) say(fault.textContent.trim());
  return "code";
}

async function enter() {
  const login = entry.action;
  while (asking()) await new Promise((resolve) => { setTimeout(resolve, 50); });
  if (step === "code") {
    const page = await asPage(await fetch(asks.code));
    if (page.querySelector("main [name=code]")) return send(asks.code, page, ["code"]);
    return page.body.dataset.who ? meet(page) : "begin";
  }
  let page = await asPage(await fetch(login));
  if (page.body.dataset.who && page.body.dataset.who !== form.elements.who.value) { // somebody else is in: out first
    await fetch(asks.leave, { method: "POST", body: new URLSearchParams({ csrfmiddlewaretoken: keyOf(page) }) });
    page = await asPage(await fetch(login));
  }
  if (page.body.dataset.who) return meet(page); // logged in meanwhile, in another window
  return send(login, page, ["login", "password"]);
}

entry.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = entry.querySelector("[type=submit]");
  if (button.disabled) return;
  button.disabled = true;
  say("");
  const answer = enter().catch(() => "gone");
  entering = answer;
  const found = await answer;
  button.disabled = false;
  entry.elements.password.value = entry.elements.code.value = "";
  dialog.querySelector("a").hidden = found !== "more";
  if (!["gone", "many"].includes(found)) show(found === "code" ? "code" : "password");
  if (found === "back") {
    close();
    saved();
    return;
  }
  if (found === "other") entry.elements.login.value = asks.writer;
  else if (found !== "code") say(asks[found]);
  entry.elements[step].focus();
});

dialog.querySelector("[value=later]").addEventListener("click", () => dialog.close());
dialog.addEventListener("close", () => {
  later = !again.hidden;
  entry.elements.password.value = entry.elements.code.value = "";
  show("password");
});
again.addEventListener("click", () => { later = false; open(); });
document.addEventListener("keydown", () => { typed = performance.now(); }, true);
