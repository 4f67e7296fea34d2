import { signal } from "@preact/signals";

/** `auto`: as the machine says. */
export const themes = ["auto", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

const place = "longshore.theme";

/** Which colours the page has. */
export const theme = signal<Theme>(read());

/** Puts the page into its colours, and keeps them for the next time. */
export function setTheme(next: Theme): void {
  theme.value = next;
  try {
    window.localStorage.setItem(place, next);
  } catch {
    // Without storage it holds for this page.
  }
  apply();
}

/** Puts the page into the colours that were chosen before. */
export function apply(): void {
  if (theme.value === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme.value;
}

function read(): Theme {
  try {
    const kept = window.localStorage.getItem(place);
    return themes.find((each) => each === kept) ?? "auto";
  } catch {
    return "auto";
  }
}
