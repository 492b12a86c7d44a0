import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");

interface LockEntry {
  version?: string;
  resolved?: string;
  integrity?: string;
  link?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
}
interface Lock {
  packages: Record<string, LockEntry>;
}

function readLock(path: string): Lock {
  const lock: Lock = JSON.parse(readFileSync(path, "utf8"));
  return lock;
}

/** Every `[parent, name]` whose optional package has no entry below the parent or at the top. */
function missingOptional(lock: Lock): string[] {
  return Object.entries(lock.packages).flatMap(([parentPath, parent]) =>
    Object.keys(parent.optionalDependencies ?? {})
      .filter((name) => !(`${parentPath}/node_modules/${name}` in lock.packages))
      .filter((name) => !(`node_modules/${name}` in lock.packages))
      .map((name) => `${name}, wanted by ${parentPath}`),
  );
}

/** Lock paths of packages that belong to one platform and whose data came from the registry. */
function platformPaths(lock: Lock): string[] {
  const wanted = new Set(
    Object.values(lock.packages).flatMap((entry) => Object.keys(entry.optionalDependencies ?? {})),
  );
  return Object.keys(lock.packages).filter((path) => {
    const entry = lock.packages[path];
    return wanted.has(path.replace(/^node_modules\//, "")) && entry?.cpu !== undefined && entry.integrity !== undefined;
  });
}

describe("package-lock.json", () => {
  const lock = readLock(join(ROOT, "package-lock.json"));

  test("has an entry for every optional package, so npm ci works on every platform (else: npm run lock)", () => {
    expect(missingOptional(lock)).toEqual([]);
  });

  test("names no registry host", () => {
    const urls = Object.values(lock.packages).flatMap((entry) => (entry.link === true ? [] : (entry.resolved ?? [])));
    expect(urls).toEqual([]);
  });

  test("lacks an integrity hash only where a package belongs to another platform", () => {
    const unhashed = Object.entries(lock.packages).filter(
      ([path, entry]) => path.includes("node_modules/") && entry.link !== true && entry.integrity === undefined,
    );
    expect(unhashed.filter(([, entry]) => entry.optional !== true || entry.cpu === undefined)).toEqual([]);
  });
});

describe("complete-lock", () => {
  test("restores what a lock lost, with the platforms the registry declares, and drops the registry's host", () => {
    const original = readLock(join(ROOT, "package-lock.json"));
    const removed = platformPaths(original);
    expect(removed.length).toBeGreaterThan(20);
    const kept = Object.entries(original.packages).filter(([path]) => !removed.includes(path));
    const directory = mkdtempSync(join(tmpdir(), "fanfold-lock-"));
    try {
      const path = join(directory, "package-lock.json");
      const packages: Record<string, LockEntry> = Object.fromEntries(kept);
      packages["node_modules/zod"] = {
        ...packages["node_modules/zod"],
        resolved: "https://registry.example/zod/-/zod-1.0.0.tgz",
      };
      writeFileSync(path, JSON.stringify({ ...original, packages }));
      execFileSync(process.execPath, [join(ROOT, "scripts/complete-lock.mjs"), path]);
      const restored = readLock(path);
      expect(missingOptional(restored)).toEqual([]);
      expect(restored.packages["node_modules/zod"]).toEqual(original.packages["node_modules/zod"]);
      const platforms = (from: Lock) =>
        removed.map((name) => {
          const { version, os, cpu, libc } = from.packages[name] ?? {};
          return { name, version, os, cpu, libc };
        });
      expect(platforms(restored)).toEqual(platforms(original));
      expect(Object.keys(restored.packages)).toEqual(Object.keys(original.packages));
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
