import { defaultClientConditions, defaultServerConditions } from "vite";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    testTimeout: 90_000,
    hookTimeout: 90_000,
    fileParallelism: false,
  },
  resolve: { conditions: ["parley-source", ...defaultClientConditions] },
  ssr: { resolve: { conditions: ["parley-source", ...defaultServerConditions] } },
});
