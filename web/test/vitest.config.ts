import { defaultClientConditions, defaultServerConditions } from "vite";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    testTimeout: 90_000,
    hookTimeout: 90_000,
    // Each file has processes and a browser of its own, which wait for each other most of the time.
    maxWorkers: 2,
  },
  resolve: { conditions: ["parley-source", ...defaultClientConditions] },
  ssr: { resolve: { conditions: ["parley-source", ...defaultServerConditions] } },
});
