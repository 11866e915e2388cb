// One press, one message: a second press while the first is on its way does nothing. The server would take it for the same
// one anyway; this spares the doubt.

export function sendOnce(): void {
  const forms = document.querySelectorAll<HTMLFormElement>("form[method=post]");
  forms.forEach((form) => {
    form.addEventListener("submit", (event) => {
      if (event.defaultPrevented) return;  // not sent at all
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "1";
      form.setAttribute("aria-busy", "true");
    });
  });
  // Back from the browser's memory: may be sent again.
  addEventListener("pageshow", () => {
    forms.forEach((form) => {
      delete form.dataset.sent;
      form.removeAttribute("aria-busy");
    });
  });
}
