import i18next from "i18next";
import { useSyncExternalStore } from "react";
import en from "./en.json";
import zh from "./zh.json";

export type Language = "en" | "zh";
export const languages: readonly Language[] = ["en", "zh"];

type Key = keyof typeof en;
type Plural<K> = K extends `${infer S}_one` ? S : never;

/** A text's name: a key of the files, without the form if it has plural ones. */
export type TextKey = Key | Plural<Key>;

/**
 * A text in one language. Values fill its {{holes}}; a count chooses among its plural forms as well. There is one
 * function for each language, so that what is drawn with it is drawn anew when the language changes.
 */
export type TFunction = (key: TextKey, values?: Values) => string;
export type Values = Readonly<Record<string, string | number>>;

// Embeddings, overrides and isolates: they would turn what stands around a value.
const turns = /[\u202a-\u202e\u2066-\u2069]/g;
const rightToLeft = /[\u0590-\u08ff\u200f\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/**
 * Keeps what people wrote, such as a name, from changing the order of the sentence around it: a value that has letters of
 * scripts from right to left is isolated (U+2068 to U+2069). Others can't disturb a sentence of English or Chinese.
 */
function isolate(value: string): string {
  const text = value.replace(turns, "");
  return rightToLeft.test(text) ? `\u2068${text}\u2069` : text;
}

void i18next.init({
  lng: "en",
  resources: { en: { translation: en }, zh: { translation: zh } },
  keySeparator: false,
  nsSeparator: false,
  interpolation: { escape: isolate, skipOnVariables: true }, // React escapes; what people wrote has no holes
  initAsync: false,
});

/** The texts of each language. */
export const translators: Readonly<Record<Language, TFunction>> = {
  en: i18next.getFixedT("en"),
  zh: i18next.getFixedT("zh"),
};

/** What the browser prefers among those that there are. */
export function preferredLanguage(): Language {
  return navigator.languages.some((tag) => tag.toLowerCase().startsWith("zh")) &&
    !navigator.languages[0]?.toLowerCase().startsWith("en")
    ? "zh"
    : "en";
}

let present = preferredLanguage();
const watchers = new Set<() => void>();
document.documentElement.lang = present;

/** The language that is shown. */
export const language = (): Language => present;

export function changeLanguage(to: Language): void {
  if (to !== present) {
    present = to;
    document.documentElement.lang = to;
    watchers.forEach((changed) => changed());
  }
}

function watch(changed: () => void): () => void {
  watchers.add(changed);
  return () => watchers.delete(changed);
}

/** The texts of the language that is shown; what uses them is drawn anew when that changes. */
export function useTranslation(): { t: TFunction; language: Language } {
  const shown = useSyncExternalStore(watch, language);
  return { t: translators[shown], language: shown };
}
