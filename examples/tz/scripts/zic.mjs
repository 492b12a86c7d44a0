// The system's time-zone compiler, and the files it leaves behind.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { delimiter, join, relative } from "node:path";
import { fail } from "./contract.mjs";

/** Compiles the source file `source` into the directory `target`. */
export function runZic(source, target) {
  const { status, signal, error } = spawnSync(findZic(), ["-d", target, source], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (error !== undefined) fail(`zic could not be started: ${error.message}`);
  if (status !== 0) fail(`zic failed on ${source} (${signal ?? `exit ${status}`}); its messages are above`);
}

/** Paths of all files under `directory`, relative to it and sorted. */
export function listFiles(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .sort();
}

/** A file as fields of a record: where it belongs, its size and hash, and its bytes as base64. */
export function fileFields(path, content) {
  return { path, size_bytes: content.length, sha256: sha256(content), content_base64: content.toString("base64") };
}

/** Lower-case hex sha256 of `content`. */
export function sha256(content) {
  return createHash("sha256").update(content).digest("hex");
}

// zic is a tool of the administrator on Debian, so /usr/sbin counts even when it is not on PATH.
function findZic() {
  const directories = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"];
  const found = directories.map((directory) => join(directory, "zic")).find((path) => existsSync(path));
  return (
    found ??
    fail(
      "zic, the time-zone compiler, is neither on PATH nor in /usr/sbin; " +
        "install libc-bin (Debian, Ubuntu) or glibc-common (Fedora)",
    )
  );
}
