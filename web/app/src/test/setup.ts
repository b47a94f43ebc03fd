import { cleanup, configure } from "@testing-library/react";
import { afterEach } from "vitest";
import "../i18n";

// jsdom has no media: every query is one that does not hold.
window.matchMedia = (media) => Object.assign(new EventTarget(), { media, matches: false }) as MediaQueryList;

// Machines are slow at times; what is awaited is a condition, not a time.
configure({ asyncUtilTimeout: 20_000 });
afterEach(cleanup);
