// Copying a text and opening the print window. Without script: mark the text, or use the browser's own print.
"use strict";

(function () {
  for (const button of document.querySelectorAll("[data-prints]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }

  for (const button of document.querySelectorAll("[data-copies]")) {
    const field = document.getElementById(button.dataset.copies);
    button.hidden = false;
    button.addEventListener("click", async () => {
      field.select();
      let copied = false;
      try {
        await navigator.clipboard.writeText(field.value);
        copied = true;
      } catch {
        copied = document.execCommand("copy"); // a page without https has no clipboard of the newer kind
      }
      if (copied) document.getElementById("copied").textContent = button.dataset.done;
    });
  }
})();
