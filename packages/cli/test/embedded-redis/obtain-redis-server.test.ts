import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { InstallHost } from "../../src/embedded-redis/choose-install.ts";
import { obtainRedisServer } from "../../src/embedded-redis/obtain-redis-server.ts";
import { makeScratchDir, writeScript } from "./scratch.ts";

const ROOT_ON_DEBIAN: InstallHost = {
  platform: "linux",
  isRoot: true,
  isInteractive: false,
  hasSystemd: true,
  commands: new Set(["apt-get"]),
};
const USER_ON_DEBIAN: InstallHost = {
  ...ROOT_ON_DEBIAN,
  isRoot: false,
  isInteractive: true,
  hasSystemd: false,
  commands: new Set(["apt-get", "sudo"]),
};
const REDIS = 'echo "Redis server v=7.0.15 sha=0:0"';
const APT = "env DEBIAN_FRONTEND=noninteractive apt-get";

/** A machine without Redis, on which `outcomes` says what each command does: an exit code, or a server that appears. */
async function makeMachine(host: InstallHost, outcomes: Record<string, number | "installs">, answer = false) {
  const dir = await makeScratchDir();
  const seen = { ran: [] as string[], said: [] as string[], asked: [] as string[] };
  const obtain = () =>
    obtainRedisServer({
      host,
      interactive: host.isInteractive,
      env: { PATH: dir },
      say: (line) => void seen.said.push(line),
      ask: async (question) => {
        seen.asked.push(question);
        return answer;
      },
      run: async (command) => {
        const line = command.join(" ");
        seen.ran.push(line);
        const outcome = Object.entries(outcomes).find(([part]) => line.includes(part))?.[1] ?? 0;
        if (outcome !== "installs") return outcome;
        await writeScript(join(dir, "redis-server"), REDIS);
        return 0;
      },
    });
  return { dir, seen, obtain };
}

describe("obtainRedisServer", () => {
  test("installs nothing where a server is present", async () => {
    const { dir, seen, obtain } = await makeMachine(ROOT_ON_DEBIAN, {});
    const path = await writeScript(join(dir, "redis-server"), REDIS);
    expect(await obtain()).toEqual({ path, version: "7.0.15" });
    expect(seen).toEqual({ ran: [], said: [], asked: [] });
  });

  test("installs as root without a question, and tells every command before it runs", async () => {
    const { dir, seen, obtain } = await makeMachine(ROOT_ON_DEBIAN, { install: "installs" });
    expect(await obtain()).toEqual({ path: join(dir, "redis-server"), version: "7.0.15" });
    expect(seen.ran).toEqual([
      `${APT} update`,
      `${APT} install -y --no-install-recommends redis-server`,
      "systemctl disable --now redis-server",
    ]);
    expect(seen.said).toEqual([
      "no redis-server on PATH; installing one",
      ...seen.ran.map((line) => `running: ${line}`),
    ]);
    expect(seen.asked).toEqual([]);
  });

  test("installs although the package lists could not all be renewed", async () => {
    const { obtain } = await makeMachine(ROOT_ON_DEBIAN, { update: 100, install: "installs", systemctl: 1 });
    expect(await obtain()).toMatchObject({ version: "7.0.15" });
  });

  test("runs nothing before a yes", async () => {
    const { seen, obtain } = await makeMachine(USER_ON_DEBIAN, {});
    await expect(obtain()).rejects.toMatchObject({
      code: "INSTALL_REFUSED",
      message: expect.stringMatching(/^no redis-server on PATH; run as root: .*apt-get .*; .*REDIS_URL/),
    });
    expect(seen.asked).toEqual([
      `no redis-server on PATH; install it now with \`sudo ${APT} update && sudo ${APT} install -y --no-install-recommends redis-server\`?`,
    ]);
    expect(seen.ran).toEqual([]);
  });

  test("installs through sudo after a yes", async () => {
    const { seen, obtain } = await makeMachine(USER_ON_DEBIAN, { install: "installs" }, true);
    expect(await obtain()).toMatchObject({ version: "7.0.15" });
    expect(seen.ran).toEqual([`sudo ${APT} update`, `sudo ${APT} install -y --no-install-recommends redis-server`]);
  });

  test("tries the other package when the first is not to be had", async () => {
    const fedora = { ...ROOT_ON_DEBIAN, commands: new Set(["dnf"]) };
    const { seen, obtain } = await makeMachine(fedora, { "-y redis": 1, valkey: "installs" });
    expect(await obtain()).toMatchObject({ version: "7.0.15" });
    expect(seen.ran).toEqual(["dnf install -y redis", "dnf install -y valkey"]);
  });

  test("says so when the commands fail, and when they leave no server", async () => {
    const failing = await makeMachine(ROOT_ON_DEBIAN, { install: 100 });
    await expect(failing.obtain()).rejects.toMatchObject({
      code: "INSTALL_FAILED",
      message: expect.stringMatching(/redis-server && systemctl .* failed; .*REDIS_URL/),
    });
    const useless = await makeMachine(ROOT_ON_DEBIAN, {});
    await expect(useless.obtain()).rejects.toMatchObject({
      code: "INSTALL_FAILED",
      message: expect.stringContaining("still not on PATH"),
    });
  });
});
