// The keys of the call page, and the links that give a question its turn. No key fires in a field, in a dialog, or when
// the person has switched them off.
"use strict";

import { form, typing } from "./call_fields.js";

let save = async () => {};
export const savesBy = (given) => { save = given; };

export const openQuestion = (key) => {
  const question = document.getElementById(`q-${key}`);
  if (!question) return;
  if (question.matches(".later")) document.getElementById("guide-more").open = true;
  const folded = question.querySelector("details");
  if (folded) folded.open = true;
  const first = question.querySelector(":checked, input:not([type=hidden]), textarea, select");
  if (first) first.focus();
  question.scrollIntoView({ block: "nearest" }); // the whole of it, and not under what is docked
};

const turnTo = async (key) => {
  form.elements.turn.value = key;
  if (document.activeElement) document.activeElement.blur();
  if (navigator.onLine) await save();
  openQuestion(key);
};

let left = null; // the question whose field was left by Escape: the next one follows on it
document.addEventListener("focusin", () => { left = null; });
const outOf = (field) => {
  left = field.closest("#guide-list > [id]")?.id;
  field.blur();
};

const nextUnanswered = () => {
  const waiting = Array.from(document.querySelectorAll("#guide-list > .current, #guide-list > .open, #guide-list > .later"));
  if (!waiting.length) return;
  const here = waiting.findIndex((question) => question.contains(document.activeElement) || question.id === left);
  if (here < 0) openQuestion(waiting[0].id.slice(2));
  else turnTo(waiting[(here + 1) % waiting.length].id.slice(2));
};

const focusFirst = (selector) => () => document.querySelector(selector)?.focus();

const toNotes = () => {
  const chosen = Array.from(document.querySelectorAll(".note-tabs input")).findIndex((tab) => tab.checked);
  document.querySelectorAll("#notes textarea")[Math.max(chosen, 0)].focus();
};

// A misdial is done with by Enter: its button takes the cursor where nothing is written yet.
const choose = (key) => {
  const radio = document.querySelector(`[data-key-of="${key}"]`);
  if (!radio) return;
  if (!radio.checked) {
    radio.checked = true;
    radio.dispatchEvent(new Event("change", { bubbles: true }));
  }
  const quick = document.getElementById("quick-call");
  if (quick && quick.dataset.caller === radio.value) quick.focus();
};

const showKeys = () => {
  const keys = document.getElementById("keys");
  keys.open = !keys.open;
  keys.querySelector("summary").focus();
};

const KEYS = {
  a: focusFirst("#acute-list .current input:not([type=hidden]), #acute-list summary"),
  j: nextUnanswered,
  t: toNotes,
  b: focusFirst("#decide button, #decide summary"),
  f: focusFirst("#finish-call"),
  "?": showKeys,
};

document.addEventListener("keydown", (event) => {
  if (document.body.dataset.keys === "off" || document.querySelector("dialog[open]")) return;
  if (event.key === "Escape" && typing(event.target) && !event.isComposing) outOf(event.target); // out of the field: now the keys are heard
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
