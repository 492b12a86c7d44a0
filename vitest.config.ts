import { defineConfig } from "vitest/config";

// without "module": what it names is for bundlers, and Node cannot load all of it
const CONDITIONS = ["node", "development|production"];
/** Unit and integration tests read the packages' sources, so that they need no build. */
const fromSource = { conditions: ["@fanfold/source", ...CONDITIONS] };
/** Tests of processes need the build anyway: they load it as Node does, without transforming it. */
const fromBuild = { conditions: CONDITIONS };
const loadsBuild = { deps: { external: [/\/packages\/\w+\/dist\//] } };

export default defineConfig({
  test: {
    // test files mostly wait for processes and Redis: two at a time even on two cores
    maxWorkers: "100%",
    projects: [
      {
        extends: true,
        resolve: fromSource,
        ssr: { resolve: fromSource },
        test: { name: "unit", isolate: false, include: ["packages/*/test/**/*.test.ts", "test/*.test.ts"] },
      },
      {
        extends: true,
        resolve: fromSource,
        ssr: { resolve: fromSource },
        test: {
          name: "integration",
          isolate: false,
          include: ["test/integration/**/*.test.ts"],
          testTimeout: 20_000,
          hookTimeout: 20_000,
        },
      },
      {
        extends: true,
        resolve: fromBuild,
        ssr: { resolve: fromBuild },
        test: {
          name: "web",
          server: loadsBuild,
          include: ["test/web/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 30_000,
        },
      },
      {
        extends: true,
        resolve: fromBuild,
        ssr: { resolve: fromBuild },
        test: {
          name: "e2e",
          server: loadsBuild,
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 30_000,
        },
      },
    ],
  },
});
