// The two or three sentences: a counter, and the draft kept in this browser until it is sent.

const count = (text: string): number => Array.from(text).length;

export function keepDraft(): void {
  const field = document.querySelector<HTMLTextAreaElement>("#brief");
  if (!field || !field.form) return;
  const most = Number(field.dataset.most);
  // Without scripts the browser's own limit holds; it counts UTF-16 units and cuts in silence, so the counter takes over.
  field.removeAttribute("maxlength");
  const counter = document.querySelector<HTMLElement>("#count");
  const warning = document.querySelector<HTMLElement>("#count-over");
  // The page's address holds a secret: only a part that opens nothing names the draft.
  const key = "draft-" + field.dataset.draft;
  const store = storage();

  if (store && document.querySelector("[data-brief-sent]")) store.removeItem(key);
  const kept = store && store.getItem(key);
  if (kept && !field.value) field.value = kept;

  const show = (): void => {
    const left = most - count(field.value);
    if (counter) counter.textContent = `${count(field.value).toLocaleString(document.documentElement.lang)} / ${most.toLocaleString(document.documentElement.lang)}`;
    if (warning) warning.hidden = left >= 0;
    field.setAttribute("aria-invalid", String(left < 0));
  };
  field.addEventListener("input", () => {
    if (store) {
      if (field.value) store.setItem(key, field.value);
      else store.removeItem(key);
    }
    show();
  });
  field.form.addEventListener("submit", (event) => {
    if (count(field.value) <= most) return;
    event.preventDefault();
    field.focus();
  });
  show();
}

// Some browsers refuse it altogether in private windows.
function storage(): Storage | null {
  try {
    localStorage.setItem("draft", "");
    localStorage.removeItem("draft");
    return localStorage;
  } catch {
    return null;
  }
}
