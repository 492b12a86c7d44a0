import { chmod, mkdir, stat, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { buildSocketPath, MAX_SOCKET_PATH_BYTES, prepareSocketDir } from "../../src/embedded-redis/socket-path.ts";
import { makeScratchDir } from "./scratch.ts";

describe("buildSocketPath", () => {
  test("stays in the data directory while the path fits", () => {
    expect(buildSocketPath({ dir: "/p/.fanfold/redis", temporaryDir: "/tmp" })).toBe("/p/.fanfold/redis/redis.sock");
  });

  test("fits for every directory, and differs for different directories", () => {
    const dirs = fc.string({ unit: "grapheme", minLength: 1, maxLength: 200 }).map((name) => `/${name}`);
    fc.assert(
      fc.property(dirs, dirs, (one, other) => {
        fc.pre(join(one) !== join(other));
        const [path, otherPath] = [one, other].map((dir) => buildSocketPath({ dir, temporaryDir: "/tmp" }));
        expect(Buffer.byteLength(path ?? "")).toBeLessThanOrEqual(MAX_SOCKET_PATH_BYTES);
        expect(path).not.toBe(otherPath);
      }),
    );
  });
});

describe("prepareSocketDir", () => {
  test("makes a directory for this user only, and takes it again", async () => {
    const path = join(await makeScratchDir(), "own/redis.sock");
    await prepareSocketDir(path);
    await prepareSocketDir(path);
    expect((await stat(dirname(path))).mode & 0o777).toBe(0o700);
  });

  test("refuses a directory that others can reach, and a link somebody left there", async () => {
    const scratch = await makeScratchDir();
    await mkdir(join(scratch, "open"));
    await chmod(join(scratch, "open"), 0o755);
    await mkdir(join(scratch, "target"), { mode: 0o700 });
    await symlink(join(scratch, "target"), join(scratch, "link"));
    for (const name of ["open", "link"]) {
      await expect(prepareSocketDir(join(scratch, name, "redis.sock"))).rejects.toMatchObject({
        code: "SOCKET_PATH_UNUSABLE",
        message: expect.stringContaining(join(scratch, name)),
      });
    }
  });

  test("refuses a path that is too long even under the temporary directory", async () => {
    const path = buildSocketPath({ dir: "/p".repeat(60), temporaryDir: "/t".repeat(60) });
    await expect(prepareSocketDir(path)).rejects.toMatchObject({ message: expect.stringContaining("TMPDIR") });
  });
});
