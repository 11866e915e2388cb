// The promised time on this device's clock, when that is another one than the page's.

export function deviceTime(): void {
  document.querySelectorAll<HTMLElement>("[data-device-time]").forEach((place) => {
    const at = new Date(place.dataset.deviceTime || "");
    const pageZone = place.dataset.zone || "UTC";
    if (isNaN(at.getTime())) return;
    try {
      const lang = document.documentElement.lang === "de" ? "de-DE" : "en-GB";
      const said = (zone: string | undefined, more: Intl.DateTimeFormatOptions): string =>
        new Intl.DateTimeFormat(lang, { timeZone: zone, hour: "numeric", minute: "2-digit", ...more }).format(at);
      const day: Intl.DateTimeFormatOptions = { weekday: "long", day: "numeric", month: "long" };
      if (said(undefined, day) === said(pageZone, day)) return;
      const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone.split("/").pop() || "";
      const sameDay = said(undefined, { day: "numeric" }) === said(pageZone, { day: "numeric" });
      place.textContent = place.textContent + " " + said(undefined, sameDay ? {} : day) + (zone ? ` (${zone.replace(/_/g, " ")})` : "");
      place.hidden = false;
    } catch {
      // A zone this browser does not know: the page's own time stands.
    }
  });
}
