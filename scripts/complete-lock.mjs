#!/usr/bin/env node
/**
 * Makes package-lock.json good for every platform and every registry.
 *
 * Packages such as Biome or Rolldown ship one optional package per platform. Where a registry mirror carries only some
 * of them, npm leaves the others out of the lock file; then `npm ci` refuses the lock, and on another platform the tool
 * comes without its binary. This script adds an entry for each one that is missing: its version is the exact pin of
 * the package that asks for it, its platform is read from its name. Such an entry has no integrity hash, because the
 * package could not be downloaded here. It also drops the registry's addresses ("resolved"), so that each machine
 * installs from the registry it is set up for; the integrity hashes stay.
 *
 *   node scripts/complete-lock.mjs [package-lock.json]
 */
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const OSES = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"];
const CPUS = ["arm", "arm64", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "wasm32", "x64"];
const LIBCS = { gnu: "glibc", musl: "musl" };
const EXACT_VERSION = /^\d+\.\d+\.\d+(?:-[\w.-]+)?$/;

/**
 * Adds every missing optional dependency to `lock` and drops registry addresses, in place.
 *
 * @returns what was added, as sorted `name@version`
 * @throws {Error} when a missing package is not pinned exactly or its name tells no platform
 */
export function completeLock(lock) {
  const missing = Object.entries(lock.packages).flatMap(([parentPath, parent]) =>
    Object.entries(parent.optionalDependencies ?? {})
      .filter(([name, version]) => !isLocked(lock, parentPath, { name, version }))
      .map(([name, version]) => ({ parentPath, parent, name, version })),
  );
  for (const item of missing) lock.packages[placeFor(lock, item)] ??= entryFor(item);
  for (const entry of Object.values(lock.packages)) if (isFromRegistry(entry)) delete entry.resolved;
  lock.packages = sortKeys(lock.packages);
  return [...new Set(missing.map((item) => `${item.name}@${item.version}`))].sort();
}

/**
 * Reads the platform from a package name: `os-cpu` with an optional ABI after it.
 *
 * @param siblings names of the other optional packages of the same parent: a Linux package without a libc in its name
 *                 is the glibc one exactly when it has a musl sibling
 */
export function platformOf(name, siblings) {
  const words = name.replace(/^.*\//, "").split("-");
  const osAt = words.findIndex((word) => OSES.includes(word));
  const cpu = words.find((word, index) => index > osAt && CPUS.includes(word));
  if (cpu === undefined) throw new Error(`cannot read a platform from ${name}; teach ${import.meta.filename} its name`);
  if (osAt === -1) return { cpu: [cpu] }; // wasm32-wasi: any system
  const os = words[osAt];
  const libc = LIBCS[words.at(-1)] ?? (os === "linux" && siblings.includes(`${name}-musl`) ? "glibc" : undefined);
  return { os: [os], cpu: [cpu], ...(libc === undefined ? {} : { libc: [libc] }) };
}

// Looks where Node would: below the parent first, then in every node_modules on the way up.
function isLocked(lock, parentPath, { name, version }) {
  const nearest = directoriesUp(parentPath)
    .map((directory) => lock.packages[`${directory}node_modules/${name}`])
    .find((entry) => entry !== undefined);
  return nearest !== undefined && (!EXACT_VERSION.test(version) || nearest.version === version);
}

function directoriesUp(path) {
  if (path === "") return [""];
  const cut = path.lastIndexOf("/node_modules/");
  return [`${path}/`, ...directoriesUp(cut === -1 ? "" : path.slice(0, cut))];
}

// At the top, unless two parents ask for different versions: then below the parent, as npm does it.
function placeFor(lock, { parentPath, name, version }) {
  const top = `node_modules/${name}`;
  const taken = lock.packages[top];
  return taken === undefined || taken.version === version ? top : `${parentPath}/${top}`;
}

function entryFor({ parent, name, version }) {
  if (!EXACT_VERSION.test(version)) {
    throw new Error(`${name} is missing and asked for as ${version}; only an exact version can be added`);
  }
  const { os, cpu, libc } = platformOf(name, Object.keys(parent.optionalDependencies));
  return {
    version,
    cpu,
    ...(parent.dev === true ? { dev: true } : {}),
    ...(libc === undefined ? {} : { libc }),
    optional: true,
    ...(os === undefined ? {} : { os }),
  };
}

// Registry tarballs lie at <registry>/<name>/-/<file>.tgz; a package from elsewhere needs its address.
function isFromRegistry(entry) {
  return /^https?:\/\/.+\/-\/[^/]+\.tgz$/.test(entry.resolved ?? "");
}

// npm's own order, so that its next write moves nothing.
function sortKeys(packages) {
  return Object.fromEntries(Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, "en")));
}

function main(path) {
  const before = readFileSync(path, "utf8");
  const lock = JSON.parse(before);
  const added = completeLock(lock);
  const after = `${JSON.stringify(lock, null, 2)}\n`;
  if (after !== before) writeFileSync(path, after);
  console.log(`${path}: ${added.length === 0 ? "complete" : `added ${added.length} packages of other platforms`}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) main(process.argv[2] ?? "package-lock.json");
