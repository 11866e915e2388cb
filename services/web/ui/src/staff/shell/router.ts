// Which page: the address is the only state. Plain links work; those to the team's pages do not load anew.
import { computed, signal } from "@preact/signals";

const OWN = /^\/(desk|team|settings|report)(\/|$)/;
const address = signal(location.pathname + location.search);

// Says whether the page may be left now; if not, it keeps `go` for when it may.
let guard: ((go: () => void) => boolean) | null = null;
export function guardLeaving(asks: typeof guard): void {
  guard = asks;
}
const pageOf = (to: string): string => to.split("?")[0];

addEventListener("popstate", () => {
  const to = location.pathname + location.search;
  if (pageOf(to) !== pageOf(address.value) && guard && !guard(() => navigate(to))) history.pushState(null, "", address.value);
  else address.value = to;
});

export const path = computed(() => address.value.split("?")[0].replace(/\/$/, "") || "/desk");
export const query = computed(() => new URLSearchParams(address.value.split("?")[1] ?? ""));

// The page before this one, where it was one of these.
let left = "";
export const cameFrom = (): string => left;

export function navigate(to: string, { replace = false } = {}): void {
  if (to === address.value) return;
  const samePage = pageOf(to) === pageOf(address.value);
  if (!samePage && guard && !guard(() => navigate(to, { replace }))) return;
  if (!samePage) left = address.value;
  history[replace ? "replaceState" : "pushState"](null, "", to);
  address.value = to;
  if (!samePage) scrollTo(0, 0);
}

document.addEventListener("click", (event) => {
  const link = (event.target as Element | null)?.closest?.("a[href]") as HTMLAnchorElement | null;
  if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  if (link.target || link.hasAttribute("download") || link.origin !== location.origin || !OWN.test(link.pathname)) return;
  event.preventDefault();
  navigate(link.pathname + link.search);
});
