import { defaultClientConditions, defaultServerConditions } from "vite";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { maxWorkers: 2 },
  resolve: { conditions: ["parley-source", ...defaultClientConditions] },
  ssr: { resolve: { conditions: ["parley-source", ...defaultServerConditions] } },
});
