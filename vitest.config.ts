import { defineConfig } from "vitest/config";

const resolve = { conditions: ["@fanfold/source", "module", "node", "development|production"] };

export default defineConfig({
  resolve,
  ssr: { resolve },
  test: {
    // test files mostly wait for processes and Redis: two at a time even on two cores
    maxWorkers: "100%",
    projects: [
      {
        extends: true,
        test: { name: "unit", isolate: false, include: ["packages/*/test/**/*.test.ts", "test/*.test.ts"] },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          testTimeout: 20_000,
          hookTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: { name: "web", include: ["test/web/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 30_000 },
      },
      {
        extends: true,
        test: { name: "e2e", include: ["test/e2e/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 30_000 },
      },
    ],
  },
});
