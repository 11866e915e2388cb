// The promised time on this device's clock, when that is another one than the page's.

export function deviceTime(): void {
  document.querySelectorAll<HTMLElement>("[data-device-time]").forEach((place) => {
    const at = new Date(place.dataset.deviceTime || "");
    const pageZone = place.dataset.zone || "UTC";
    if (isNaN(at.getTime())) return;
    try {
      const german = document.documentElement.lang === "de";
      const said = (timeZone: string | undefined, parts: Intl.DateTimeFormatOptions): string =>
        new Intl.DateTimeFormat(german ? "de-DE" : "en-GB", { timeZone, ...parts }).format(at).replace(/\s/g, " ");
      const clock = (zone?: string): string =>
        said(zone, { hour: "numeric", minute: "2-digit", hour12: !german }).replace(/^0(?=\d)/, "") + (german ? " Uhr" : "");
      const day = (zone?: string): string => said(zone, { weekday: "long", day: "numeric", month: "long" });
      if (clock() === clock(pageZone) && day() === day(pageZone)) return;
      const own = (Intl.DateTimeFormat().resolvedOptions().timeZone || "").split("/").pop() || "";
      const words = day() === day(pageZone) ? clock() : `${day()}, ${clock()}`;
      place.textContent = `${place.textContent} ${words}${own ? ` (${own.replace(/_/g, " ")})` : ""}`;
      place.hidden = false;
    } catch {
      // A zone this browser does not know: the page's own time stands.
    }
  });
}
