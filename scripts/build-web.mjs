// Builds the dashboard's page into packages/dashboard/web-dist, if a source has changed since: what it was built from
// is kept there as a hash, so that a change of branch counts and a mere touch does not.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const dashboard = fileURLToPath(new URL("../packages/dashboard/", import.meta.url));
const webDir = join(dashboard, "web");
const stamp = join(dashboard, "web-dist/.sources");

function hashSources() {
  const files = readdirSync(webDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const hash = createHash("sha256");
  for (const file of [...files, join(dashboard, "package.json"), import.meta.filename]) {
    hash
      .update(`${file.slice(dashboard.length)}\0`)
      .update(readFileSync(file))
      .update("\0");
  }
  return hash.digest("hex");
}

const sources = hashSources();
if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== sources) {
  const { build } = await import("vite");
  await build({ configFile: join(webDir, "vite.config.ts"), logLevel: "warn" });
  writeFileSync(stamp, sources);
}
