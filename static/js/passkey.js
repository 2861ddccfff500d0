// Passkeys: the browser is asked, and its answer goes along with the form. Without this file one logs in by another way.
"use strict";

(function () {
  const able = window.PublicKeyCredential && window.webauthnJSON;

  async function options(form) {
    if (form.dataset.options) return JSON.parse(form.dataset.options);
    const response = await fetch(form.action, { headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error("no answer");
    return (await response.json()).request_options;
  }

  async function answer(form) {
    const asked = await options(form);
    const given = form.dataset.passkey === "new" ? await window.webauthnJSON.create(asked) : await window.webauthnJSON.get(asked);
    form.elements.credential.value = JSON.stringify(given);
    form.submit();
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    if (!able) continue;
    form.hidden = false;
    const fault = form.querySelector("[data-fault]");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      fault.textContent = "";
      answer(form).catch(() => { fault.textContent = fault.dataset.fault; });
    });
  }
  for (const without of document.querySelectorAll("[data-without-passkey]")) without.hidden = Boolean(able);
})();
