import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { WorkerSecrets } from "../src/secrets.ts";

const root = mkdtempSync(join(tmpdir(), "fanfold-secrets-"));
const dir = join(root, "secrets");
mkdirSync(dir);
afterAll(() => rmSync(root, { recursive: true, force: true }));

const resolve = (name: string, env: NodeJS.ProcessEnv = {}): Promise<string> =>
  new WorkerSecrets({ FANFOLD_SECRETS_DIR: dir, ...env }).resolveSecret(name);

const put = (name: string, content: string | Uint8Array): void => writeFileSync(join(dir, name), content);

describe("a secret", () => {
  test("comes from the environment, exactly as it is there", async () => {
    put("API_KEY", "from the file\n");
    expect(await resolve("API_KEY", { FANFOLD_SECRET_API_KEY: " of the env\n" })).toBe(" of the env\n");
  });

  test("comes from a file where the environment has none, without the newline at its end", async () => {
    put("ONE", "of the file\n\n");
    put("TWO", "of the file\r\n");
    put("THREE", "line 1\nline 2");
    expect(await resolve("ONE")).toBe("of the file\n");
    expect(await resolve("TWO")).toBe("of the file");
    expect(await resolve("THREE")).toBe("line 1\nline 2");
  });

  test("may change while the worker runs", async () => {
    const secrets = new WorkerSecrets({ FANFOLD_SECRETS_DIR: dir });
    put("ROTATED", "first");
    expect(await secrets.resolveSecret("ROTATED")).toBe("first");
    put("ROTATED", "second");
    expect(await secrets.resolveSecret("ROTATED")).toBe("second");
  });

  test("may be a link inside the directory, as mounted volumes have them", async () => {
    mkdirSync(join(dir, "..data"));
    put("..data/LINKED", "behind a link\n");
    symlinkSync("..data/LINKED", join(dir, "LINKED"));
    expect(await resolve("LINKED")).toBe("behind a link");
  });
});

describe("a secret is refused", () => {
  test("when it is nowhere, with its name and both places", async () => {
    await expect(resolve("NOWHERE")).rejects.toMatchObject({
      code: "SECRET_NOT_FOUND",
      message: `secret NOWHERE was not found: the worker has no environment variable FANFOLD_SECRET_NOWHERE, and no file ${dir}/NOWHERE`,
    });
    await expect(resolve("NOWHERE", { FANFOLD_SECRETS_DIR: "" })).rejects.toMatchObject({
      message: expect.stringContaining("no file /run/secrets/NOWHERE"),
    });
  });

  test("when its file cannot be read, with the reason", async () => {
    // a link to itself cannot be read by anybody, root included
    symlinkSync("LOCKED", join(dir, "LOCKED"));
    await expect(resolve("LOCKED")).rejects.toMatchObject({
      code: "SECRET_NOT_FOUND",
      message: expect.stringContaining("ELOOP"),
    });
  });

  test("when it is too short to be masked", async () => {
    await expect(resolve("PIN", { FANFOLD_SECRET_PIN: "123" })).rejects.toMatchObject({ code: "SECRET_TOO_SHORT" });
    await expect(resolve("PIN", { FANFOLD_SECRET_PIN: "" })).rejects.toMatchObject({ code: "SECRET_TOO_SHORT" });
    await expect(resolve("PIN", { FANFOLD_SECRET_PIN: " 12 \n " })).rejects.toMatchObject({ code: "SECRET_TOO_SHORT" });
    expect(await resolve("PIN", { FANFOLD_SECRET_PIN: "1234" })).toBe("1234");
  });

  test.each(["", "1ST", "../outside", "a/b", "API-KEY", "..data"])("when its name is %j", async (name) => {
    await expect(resolve(name)).rejects.toMatchObject({ code: "SECRET_INVALID" });
  });

  test("when its file leads out of the directory", async () => {
    writeFileSync(join(root, "outside"), "not for you");
    symlinkSync("../outside", join(dir, "OUTSIDE"));
    await expect(resolve("OUTSIDE")).rejects.toMatchObject({
      code: "SECRET_INVALID",
      message: expect.not.stringContaining("not for you"),
    });
  });

  test("when its file holds no text that a command could be given", async () => {
    put("BINARY", Buffer.from([0xff, 0xfe, 0x01, 0x02, 0x03]));
    put("NUL", "ab\0cd");
    put("HUGE", "x".repeat(65 * 1024));
    mkdirSync(join(dir, "DIRECTORY"));
    for (const name of ["BINARY", "NUL", "HUGE", "DIRECTORY"]) {
      await expect(resolve(name)).rejects.toMatchObject({ code: "SECRET_INVALID" });
    }
  });
});
