import { language } from "../i18n";

// The reader's own region, where the browser tells one of the language: "en-GB" has no a.m. and p.m.
function locale(): string {
  return navigator.languages.find((tag) => tag.toLowerCase().startsWith(language())) ?? language();
}

// Formatters are dear to make: one of each kind and language is kept.
const formatters = new Map<string, Intl.DateTimeFormat>();

function format(kind: string, options: Intl.DateTimeFormatOptions, at: Date): string {
  const key = `${language()} ${kind}`;
  let formatter = formatters.get(key);
  if (!formatter) {
    formatter = new Intl.DateTimeFormat(locale(), options);
    formatters.set(key, formatter);
  }
  return formatter.format(at);
}

/** The days from one time to another, by the calendar here. */
function daysBetween(at: Date, now: Date): number {
  const midnight = (d: Date) => new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime();
  return Math.round((midnight(now) - midnight(at)) / 86_400_000);
}

/** "14:05" */
export function clock(iso: string): string {
  return format("clock", { hour: "numeric", minute: "2-digit" }, new Date(iso));
}

/** The day of a separator: "Today", "Yesterday", "Monday", "12 March 2026". */
export function day(iso: string, now = new Date()): string {
  const at = new Date(iso);
  const days = daysBetween(at, now);
  if (days === 0 || days === 1) {
    const word = new Intl.RelativeTimeFormat(locale(), { numeric: "auto" }).format(-days, "day");
    return word.charAt(0).toLocaleUpperCase() + word.slice(1);
  }
  if (days > 1 && days < 7) {
    return format("weekday", { weekday: "long" }, at);
  }
  return format("date", { day: "numeric", month: "long", year: "numeric" }, at);
}

/** The time in the list: today the clock, then the day. */
export function brief(iso: string, now = new Date()): string {
  const at = new Date(iso);
  const days = daysBetween(at, now);
  if (days <= 0) {
    return clock(iso);
  }
  if (days === 1) {
    return day(iso, now);
  }
  if (days < 7) {
    return format("short weekday", { weekday: "short" }, at);
  }
  const sameYear = at.getFullYear() === now.getFullYear();
  return sameYear
    ? format("short date", { day: "numeric", month: "short" }, at)
    : format("numeric date", { year: "numeric", month: "numeric", day: "numeric" }, at);
}

/** All of it, for whoever points at it. */
export function full(iso: string): string {
  return format("full", { dateStyle: "full", timeStyle: "short" }, new Date(iso));
}
