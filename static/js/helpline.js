// Niceties only: every page works without this file.
"use strict";

(function () {
  const typing = (element) => element.closest("textarea, select, input:not([type=radio]):not([type=checkbox]), [contenteditable]") !== null;
  const keysAreOff = () => document.body.dataset.keys === "off" || document.querySelector("dialog[open]");

  // A form with data-key="n" is sent by that key, when no field has focus.
  document.addEventListener("keydown", (event) => {
    if (keysAreOff() || event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing || typing(event.target)) return;
    const key = event.key.toLowerCase();
    if (!/^[a-z0-9]$/.test(key)) return;
    const form = document.querySelector(`form[data-key="${key}"]`);
    if (!form) return;
    event.preventDefault();
    form.requestSubmit();
  });

  // Words that are written and not sent are not left without a question. The call page saves itself, and asks for itself.
  let written = null; // the form that holds them
  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (form && form.method === "post" && form.id !== "call-form" && !form.closest("dialog")) written = form;
  });
  document.addEventListener("submit", (event) => { if (event.target === written) written = null; });
  window.addEventListener("pageshow", () => { written = null; });
  window.addEventListener("beforeunload", (event) => { if (written) event.preventDefault(); });

  // Who writes long without sending anything is there all the same: said at most once a minute, and never by itself. The
  // call page sends what is written, and where one logs in nothing else is asked.
  let told = performance.now();
  const here = () => {
    if (!document.body.dataset.here || document.querySelector("#call-form, dialog[open]") || performance.now() - told < 60000) return;
    told = performance.now();
    fetch(document.body.dataset.here, { redirect: "manual" }).catch(() => {});
  };
  document.addEventListener("input", (event) => { if (event.isTrusted && event.target.form) here(); });

  // The switch for single keys holds at once, and the page stays where it is.
  document.addEventListener("submit", async (event) => {
    if (!event.target.matches("[data-keys-switch]")) return;
    event.preventDefault();
    const wanted = event.submitter.value;
    const body = new URLSearchParams(new FormData(event.target, event.submitter));
    document.body.dataset.keys = wanted;
    for (const button of document.querySelectorAll("[data-keys-switch] [role=switch]")) {
      button.setAttribute("aria-checked", String(wanted === "on"));
      button.value = wanted === "on" ? "off" : "on";
    }
    for (const button of document.querySelectorAll("[data-keyshortcuts]")) {
      if (wanted === "on") button.setAttribute("aria-keyshortcuts", button.dataset.keyshortcuts);
      else button.removeAttribute("aria-keyshortcuts");
    }
    await fetch(event.target.action, { method: "POST", body, redirect: "manual" }).catch(() => {});
  });

  // A menu closes on Escape, and when something else is pressed.
  const closeMenus = (except) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (menu !== except) menu.open = false;
    }
  };
  document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target.closest("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  // A field of the docked notes that is reached by keyboard, but lies out of sight, becomes the chosen one.
  document.addEventListener("focusin", (event) => {
    const note = event.target.closest(".notes.dock .note");
    if (!note || note.getBoundingClientRect().bottom <= window.innerHeight) return;
    const notes = Array.from(note.parentElement.querySelectorAll(":scope > .note"));
    const tab = note.parentElement.querySelectorAll(".note-tabs input")[notes.indexOf(note)];
    if (tab) tab.checked = true;
  });

  // What is reached by Tab comes to stand clear of the bars, however high a person's letters or an acute line make them.
  const TOPS = ".topbar, .call-top, .page-head.stays, .step-line.stays";
  const BOTTOMS = ".bottombar, .call-places, .notes.dock, .send-box, .to-answer";
  const reach = (selector, edge) => Math.max(0, ...Array.from(document.querySelectorAll(selector), (bar) => {
    const { position, [edge]: away } = getComputedStyle(bar);
    if (!["sticky", "fixed"].includes(position)) return 0;
    const line = bar.querySelector(".acute-line"); // it hangs below, also where it comes into sight only by the next scroll
    return bar.offsetHeight + (line ? line.offsetHeight : 0) + (parseFloat(away) || 0);
  }));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Tab") return;
    const room = document.documentElement.style;
    room.scrollPaddingTop = `${reach(TOPS, "top") + 16}px`;
    room.scrollPaddingBottom = `${reach(BOTTOMS, "bottom") + 24}px`;
  });

  // data-stands-in-for="id": shown only while that element is out of sight.
  const watch = (root) => {
    for (const line of root.querySelectorAll("[data-stands-in-for]")) {
      const panel = document.getElementById(line.dataset.standsInFor);
      if (!panel) continue;
      new IntersectionObserver(([entry]) => {
        line.hidden = entry.isIntersecting && !line.contains(document.activeElement); // the cursor is not lost with it
      }, { rootMargin: "-70px 0px 0px 0px" }).observe(panel);
    }
    const summary = root.querySelector(".error-summary[data-focus]");
    if (summary) summary.focus();
  };
  watch(document);
  document.addEventListener("htmx:afterSettle", (event) => watch(event.detail.elt));
})();
