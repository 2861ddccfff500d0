// Merging an answer into the page: a part that holds the cursor, or words newer than the answer, stays as it is until it is free.
"use strict";

import { field, unsaved } from "./call_fields.js";

const PARTS = "[data-part], [data-keyed] > [id]";
const server = new Map(); // id -> the part as the server last gave it, so that what is the same stays untouched
let latest = null;
let pressed = false;
let saving = () => false;

export const outdated = (id) => server.delete(id);

// What is wrong with a field, and what another window wrote there, stands at it at once, also while the cursor is in it.
export function showConflicts(page) {
  for (const next of page.querySelectorAll("[data-at]")) {
    const now = document.querySelector(`[data-at="${next.dataset.at}"]`);
    if (!now || now.innerHTML === next.innerHTML || !(now.childElementCount || next.childElementCount)) continue;
    now.replaceChildren(...document.importNode(next, true).childNodes);
    tellField(document.getElementById(now.dataset.of), now.querySelector(".invalid-feedback"));
    for (let part = now.closest(PARTS); part; part = part.parentElement.closest(PARTS)) outdated(part.id);
  }
}

function tellField(control, fault) {
  if (!control) return;
  control.classList.toggle("is-invalid", fault !== null);
  if (fault) {
    control.setAttribute("aria-invalid", "true");
    control.setAttribute("aria-describedby", fault.id);
  } else {
    control.removeAttribute("aria-invalid");
    control.removeAttribute("aria-describedby");
  }
}

export const watchSaving = (asked) => { saving = asked; };

for (const part of document.querySelectorAll(PARTS)) server.set(part.id, part.outerHTML);

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
  const target = (id && document.getElementById(id)) || node.querySelector("summary, input:not([type=hidden]), button") || node;
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

export function merge(page, started) {
  if (pressed) { // a button of the mouse is down: what is under it stays until it is up
    latest = { page, started, waits: true };
    tidy();
    return;
  }
  latest = { page, started, waits: false };
  for (const next of page.querySelectorAll("[data-part]")) {
    const now = document.getElementById(next.id);
    if (!now || next.parentElement.closest(PARTS)) continue; // a part of a part goes with it
    const put = replace(now, next, started);
    if (put !== now && put.id.startsWith("acute-")) document.dispatchEvent(new CustomEvent("htmx:afterSettle", { detail: { elt: document } }));
  }
  for (const next of page.querySelectorAll("[data-keyed]")) keyed(document.getElementById(next.id), next, started);
}

// When the cursor has left what waited, and no button of the mouse is down, it is put in order.
const tidy = () => setTimeout(() => {
  if (!latest || !latest.waits || saving()) return;
  if (pressed) tidy();
  else merge(latest.page, latest.started);
}, 300);
document.addEventListener("focusout", tidy);
document.addEventListener("pointerdown", () => { pressed = true; });
for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => { pressed = false; });
