import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defaultClientConditions, type Plugin } from "vite";
import { defineConfig } from "vitest/config";

const gateway = process.env.PARLEY_GATEWAY ?? "http://127.0.0.1:8080";

// react-aria brings its few words in 34 languages; the app has two.
const otherLanguage = /react-aria.*\/intl\/.*\/(?!en-US|zh-CN)[a-z]{2}-[A-Z]{2}\.m?js$/;
const twoLanguages: Plugin = {
  name: "two-languages",
  enforce: "pre",
  load: (id) => (otherLanguage.test(id) ? "export default {};" : undefined),
};

export default defineConfig({
  plugins: [react(), twoLanguages],
  // The SDK is taken from its source: nothing need be built first.
  resolve: { conditions: ["parley-source", ...defaultClientConditions] },
  build: {
    outDir: "../../services/gateway/web/dist",
    emptyOutDir: true,
    // The first that know light-dark().
    target: ["chrome123", "firefox120", "safari17.5"],
    // A data: script or font would need a wider Content-Security-Policy.
    assetsInlineLimit: 0,
  },
  server: {
    host: "127.0.0.1",
    proxy: { "/api": { target: gateway, ws: true } },
  },
  test: {
    environment: "jsdom",
    maxWorkers: 2,
    testTimeout: 60_000,
    // The gateways of tests run in Node, whatever the tests do.
    alias: [{ find: /^ws$/, replacement: fileURLToPath(import.meta.resolve("ws")) }],
    setupFiles: ["./src/test/setup.ts"],
    css: { modules: { classNameStrategy: "non-scoped" } },
  },
});
