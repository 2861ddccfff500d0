// A part of a page that asks by itself whether something has changed ([data-fresh], by htmx). Without this file, and without
// any script, the page says as of when it is true, and has a link to renew it.
"use strict";

(function () {
  const asks = (event) => event.target instanceof Element && event.target.closest("[data-fresh]");

  // As of when it is true, also where nothing has changed.
  document.addEventListener("htmx:afterRequest", (event) => {
    const time = asks(event) && event.detail.xhr.getResponseHeader("X-Updated");
    if (!time) return;
    for (const place of document.querySelectorAll("[data-updated]")) place.textContent = time;
  });

  // What may no longer be read does not stay on the screen: the page is asked for anew, and says what it may say now. An answer
  // that comes from elsewhere (a log-in) is not put into the page.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!asks(event)) return;
    const { xhr } = event.detail;
    const elsewhere = xhr.responseURL && new URL(xhr.responseURL).pathname !== event.detail.pathInfo.requestPath.split("?")[0];
    if (![401, 403, 404].includes(xhr.status) && !elsewhere) return;
    event.detail.shouldSwap = false;
    window.location.reload();
  });

  // Whoever stands on a link of the part stands on the same link of the new one.
  let stood = null;
  document.addEventListener("htmx:beforeSwap", (event) => {
    const link = asks(event) && document.activeElement.closest("[data-fresh] a[href]");
    stood = link ? link.getAttribute("href") : null;
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (!stood || document.activeElement !== document.body) return;
    const link = document.querySelector(`[data-fresh] a[href="${CSS.escape(stood)}"]`);
    if (link) link.focus({ preventScroll: true });
    stood = null;
  });
})();
