const STORE_KEY = "fanfold-theme";

/** Colours of the page. `system`: as the machine has them. */
export type Theme = "system" | "light" | "dark";

const ORDER: readonly Theme[] = ["system", "light", "dark"];

/** The theme chosen last. */
export function readTheme(): Theme {
  try {
    return ORDER.find((theme) => theme === localStorage.getItem(STORE_KEY)) ?? "system";
  } catch {
    return "system"; // storage is switched off
  }
}

/** Puts a theme on the page. */
export function applyTheme(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}

/** Goes on to the next theme and remembers it. */
export function nextTheme(theme: Theme): Theme {
  const next = ORDER[(ORDER.indexOf(theme) + 1) % ORDER.length] ?? "system";
  applyTheme(next);
  try {
    localStorage.setItem(STORE_KEY, next);
  } catch {
    // it holds until the page is left
  }
  return next;
}
