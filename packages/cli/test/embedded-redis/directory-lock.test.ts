import { execFile } from "node:child_process";
import { readdir, readFile, readlink, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { withDirectoryLock } from "../../src/embedded-redis/directory-lock.ts";
import { formatProcess, loadOwnProcess } from "../../src/embedded-redis/process-identity.ts";
import { compileSources, makeScratchDir } from "./scratch.ts";

const runFile = promisify(execFile);
const LIMIT_MS = 10_000;
const DEAD = formatProcess({ pid: 1, started: "1000000000000000" });

const COUNTING_CHILD = `
  import { readFile, writeFile } from "node:fs/promises";
  import { withDirectoryLock } from "./directory-lock.js";
  const [dir, file, turns] = process.argv.slice(2);
  for (let turn = 0; turn < Number(turns); turn += 1) {
    await withDirectoryLock({ dir, limitMs: 20_000 }, async () => {
      const count = Number(await readFile(file, "utf8"));
      await writeFile(file, String(count + 1));
    });
  }
`;

describe("withDirectoryLock", () => {
  test("lets one action run at a time and gives back what it gives", async () => {
    const dir = await makeScratchDir();
    let running = 0;
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        withDirectoryLock({ dir, limitMs: LIMIT_MS }, async () => {
          running += 1;
          await nextTurn();
          expect(running).toBe(1);
          running -= 1;
          return index;
        }),
      ),
    );
    expect(results).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test("loses no update of processes that count in one file", { timeout: 20_000 }, async () => {
    const scratch = await makeScratchDir();
    const [dir, counter, turns] = [await makeScratchDir(), join(scratch, "counter"), 40];
    await compileSources(scratch, ["directory-lock"]);
    await writeFile(join(scratch, "count.js"), COUNTING_CHILD);
    await writeFile(counter, "0");
    const args = [join(scratch, "count.js"), dir, counter, String(turns)];
    await Promise.all([1, 2, 3].map(() => runFile(process.execPath, args)));
    expect(Number(await readFile(counter, "utf8"))).toBe(3 * turns);
  });

  test("is released when the action throws", async () => {
    const dir = await makeScratchDir();
    const failing = withDirectoryLock({ dir, limitMs: LIMIT_MS }, () => Promise.reject(new Error("no")));
    await expect(failing).rejects.toThrow("no");
    expect(await withDirectoryLock({ dir, limitMs: 0 }, async () => "free again")).toBe("free again");
  });

  test("is taken over from a holder that died, by one taker only", async () => {
    const dir = await makeScratchDir();
    await symlink(DEAD, join(dir, "7"));
    let running = 0;
    const take = () =>
      withDirectoryLock({ dir, limitMs: LIMIT_MS }, async () => {
        running += 1;
        await nextTurn();
        expect(running).toBe(1);
        running -= 1;
      });
    await Promise.all([take(), take(), take(), take()]);
  });

  test("names the living holder when the limit passes", async () => {
    const dir = await makeScratchDir();
    await symlink(formatProcess(await loadOwnProcess()), join(dir, "3"));
    await expect(withDirectoryLock({ dir, limitMs: 0 }, async () => "never")).rejects.toMatchObject({
      code: "LOCKED",
      message: expect.stringContaining(`process ${process.pid} has kept ${dir} locked`),
    });
  });

  test("leaves one link behind, whose generation only grows", async () => {
    const dir = await makeScratchDir();
    for (let turn = 0; turn < 3; turn += 1) await withDirectoryLock({ dir, limitMs: LIMIT_MS }, async () => {});
    expect(await readdir(dir)).toEqual(["6"]);
    expect(await readlink(join(dir, "6"))).toBe("free");
  });
});
