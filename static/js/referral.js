// The receiver's view follows what is written. Without this file it follows what was saved.
"use strict";

(function () {
  const form = document.getElementById("draft");
  const preview = document.getElementById("preview");
  if (!form || !preview) return;

  const partOf = (field) => preview.querySelector(`[data-part="${field.name}"]`);

  // The text that was read aloud is no longer the text that stands here.
  const approved = form.querySelector("[name=approved]");
  const unapprove = () => {
    if (!approved) return;
    const when = document.getElementById("approved-at");
    approved.checked = false;
    approved.value = "now";
    if (when) when.hidden = true;
  };

  form.addEventListener("input", (event) => {
    const part = partOf(event.target);
    if (!part) return;
    part.querySelector("dd").textContent = event.target.value.trim();
    part.hidden = !event.target.value.trim();
    unapprove();
  });

  // The part that is being written is marked.
  const word = document.createElement("span");
  word.className = "here-word";
  word.textContent = preview.dataset.here;
  const leave = () => {
    word.parentElement?.parentElement.classList.remove("here");
    word.remove();
  };
  form.addEventListener("focusin", (event) => {
    leave();
    const part = partOf(event.target);
    if (!part) return;
    part.classList.add("here");
    part.querySelector("dt").append(word);
  });
  form.addEventListener("focusout", leave);
})();
