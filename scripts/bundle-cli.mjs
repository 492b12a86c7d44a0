// Bundles what `tsc -b` built into packages/cli/bundle: a process that loads a dozen files starts in 60 % of the time
// of one that loads five hundred. What is loaded by path (Lua scripts, built-in templates, the shell scripts of workers, the web page) is put
// beside it; packages that must stay files of their own (they find their assets by path, or are rarely needed) stay
// imports.
import { existsSync } from "node:fs";
import { cp, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const packages = fileURLToPath(new URL("../packages/", import.meta.url));
const bundleDir = `${packages}cli/bundle`;
const EXTERNAL = [/^jiti($|\/)/, /^express($|\/)/, /^@bull-board\//];

const bundle = await rolldown({
  input: { main: `${packages}cli/dist/main.js`, index: `${packages}cli/dist/index.js` },
  platform: "node",
  // what is bundled is JavaScript already
  tsconfig: false,
  external: EXTERNAL,
  logLevel: "warn",
});
await rm(bundleDir, { recursive: true, force: true });
await bundle.write({ dir: bundleDir, format: "esm", chunkFileNames: "[name]-[hash].js" });
await bundle.close();
for (const assets of ["store/lua", "engine/templates", "worker/shell", "dashboard/web-dist"]) {
  const copy = `${packages}cli/${assets.split("/")[1]}`;
  await rm(copy, { recursive: true, force: true });
  if (existsSync(`${packages}${assets}`)) await cp(`${packages}${assets}`, copy, { recursive: true });
}
