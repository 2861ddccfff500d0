// The fields of the call's form: which they are, which are not saved yet, and what each was based on.
"use strict";

export const form = document.getElementById("call-form");
export const says = form.dataset;
const APART = ["turn", "present", "void_reason", "again_number", "again_phrase"];

export const own = (element) => element.form === form && element.name && !APART.includes(element.name) && !["submit", "hidden"].includes(element.type);
export const typing = (element) => element.matches("textarea, select, input:not([type=radio]):not([type=checkbox])");
export const field = (element) => own(element) || (element.matches && element.matches("input, textarea, select"));

// What is not saved yet: name of a field -> the number of its latest edit.
export const unsaved = new Map();

// Marks of what was sent and not answered: it may have been saved, and is no word of another window.
const tried = new Map();

const TABLE = Array.from({ length: 256 }, (_, number) => {
  for (let bit = 0; bit < 8; bit++) number = number & 1 ? (number >>> 1) ^ 0xedb88320 : number >>> 1;
  return number >>> 0;
});

// The same short mark of a value as intake/forms/windows.py makes.
export function mark(values) {
  const text = values.map((value) => value.replace(/\r\n/g, "\n").trim()).filter(Boolean).sort().join("\n");
  const data = new TextEncoder().encode(text);
  let sum = 0xffffffff;
  for (const byte of data) sum = TABLE[(sum ^ byte) & 255] ^ (sum >>> 8);
  return `${data.length.toString(16)}-${((sum ^ 0xffffffff) >>> 0).toString(16).padStart(8, "0")}`;
}

const basesOf = (name, root = document) => root.querySelectorAll(`[name="base.${name}"]`);

// What goes with these fields: the marks of what their words may have been written upon.
export function addBases(body, names) {
  for (const name of names) {
    const [base] = basesOf(name);
    if (base) body.append(`base.${name}`, [base.value, ...(tried.get(name) || [])].join(","));
  }
}

export function tries(data, names) {
  for (const name of names) tried.set(name, (tried.get(name) || new Set()).add(mark(data.getAll(name))));
}

// What was sent is saved: from now on it is what the field is based on.
export function based(name, page) {
  tried.delete(name);
  const [next] = basesOf(name, page);
  if (next) for (const base of basesOf(name)) base.value = next.value;
}

export const forget = (name) => { unsaved.delete(name); tried.delete(name); };
