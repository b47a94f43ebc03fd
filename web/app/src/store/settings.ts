import { create } from "zustand";
import { changeLanguage, preferredLanguage, type Language } from "../i18n";

export type Theme = "system" | "light" | "dark";

export interface Settings {
  theme: Theme;
  language: Language;
  /** Desktop notifications are wished for; the browser must allow them too. */
  notifications: boolean;
}

const key = "parley.settings";

const defaults = (): Settings => ({ theme: "system", language: preferredLanguage(), notifications: false });

function kept(): Partial<Settings> {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "{}") as Partial<Settings>;
  } catch {
    return {}; // storage is blocked, or was written by someone else
  }
}

function apply({ theme, language }: Settings): void {
  if (theme === "system") {
    delete document.documentElement.dataset.theme;
  } else {
    document.documentElement.dataset.theme = theme;
  }
  changeLanguage(language);
}

/** This browser's settings. They are kept in localStorage and follow other tabs. */
export const useSettings = create<Settings>(() => ({ ...defaults(), ...kept() }));

/** Changes some settings. The others are those that are kept: another tab may just have changed them. */
export function changeSettings(patch: Partial<Settings>): void {
  useSettings.setState({ ...kept(), ...patch });
  try {
    localStorage.setItem(key, JSON.stringify(useSettings.getState()));
  } catch {
    // They hold for this visit.
  }
}

/** Applies the settings now and whenever they change, here or in another tab. */
export function keepSettings(): void {
  apply(useSettings.getState());
  useSettings.subscribe(apply);
  window.addEventListener("storage", (event) => {
    if (event.key === key) {
      useSettings.setState({ ...defaults(), ...kept() });
    }
  });
}
