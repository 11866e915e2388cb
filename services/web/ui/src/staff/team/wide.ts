// Whether there is room for two columns.
import { signal } from "@preact/signals";

const media = matchMedia("(min-width: 1100px)");
export const wide = signal(media.matches);
media.addEventListener("change", () => (wide.value = media.matches));
