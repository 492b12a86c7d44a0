import { describe, expect, test } from "vitest";
import {
  chooseInstall,
  describeInstall,
  type InstallDecision,
  type InstallHost,
} from "../../src/embedded-redis/choose-install.ts";

const APT = "env DEBIAN_FRONTEND=noninteractive apt-get";
const APT_INSTALL = `${APT} update && ${APT} install -y --no-install-recommends redis-server`;

function host(changes: Partial<Omit<InstallHost, "commands">>, ...commands: string[]): InstallHost {
  const base = { platform: "linux" as const, isRoot: false, isInteractive: false, hasSystemd: false };
  return { ...base, ...changes, commands: new Set(commands) };
}

/** What a decision comes to, in one line. */
function summarise(decision: InstallDecision): string {
  if (decision.kind === "refuse") return `refuse: ${decision.advice}`;
  return `${decision.needsYes ? "ask" : "run"}: ${describeInstall(decision.steps)}`;
}

describe("chooseInstall", () => {
  test.each<[string, InstallHost, string]>([
    ["root on Debian", host({ isRoot: true }, "apt-get"), `run: ${APT_INSTALL}`],
    [
      "root on Debian with systemd, whose service it does not want",
      host({ isRoot: true, hasSystemd: true }, "apt-get", "sudo"),
      `run: ${APT_INSTALL} && systemctl disable --now redis-server`,
    ],
    ["root on Fedora", host({ isRoot: true }, "dnf", "yum"), "run: dnf install -y redis || dnf install -y valkey"],
    ["root on CentOS", host({ isRoot: true }, "yum"), "run: yum install -y redis || yum install -y valkey"],
    ["root on Alpine", host({ isRoot: true }, "apk"), "run: apk add --no-cache redis || apk add --no-cache valkey"],
    ["root on Arch", host({ isRoot: true }, "pacman"), "run: pacman -Sy --needed --noconfirm valkey"],
    [
      "root on openSUSE",
      host({ isRoot: true }, "zypper"),
      "run: zypper --non-interactive install redis || zypper --non-interactive install valkey",
    ],
    [
      "a user with sudo at a terminal",
      host({ isInteractive: true }, "apt-get", "sudo"),
      `ask: sudo ${APT} update && sudo ${APT} install -y --no-install-recommends redis-server`,
    ],
    [
      "a user at a terminal without sudo",
      host({ isInteractive: true }, "apt-get"),
      `refuse: run as root: ${APT_INSTALL}`,
    ],
    ["a user with sudo and no terminal", host({}, "apt-get", "sudo"), `refuse: run as root: ${APT_INSTALL}`],
    [
      "root without a known package manager",
      host({ isRoot: true }),
      "refuse: install Redis 6.2 or newer, or Valkey, with the package manager of your system",
    ],
    ["a Mac with Homebrew", host({ platform: "darwin", isInteractive: true }, "brew"), "ask: brew install redis"],
    ["a Mac without a terminal", host({ platform: "darwin" }, "brew"), "refuse: run `brew install redis`"],
    [
      "root on a Mac",
      host({ platform: "darwin", isRoot: true, isInteractive: true }, "brew"),
      "refuse: run `brew install redis` as the user that owns Homebrew, which refuses root",
    ],
    [
      "a Mac without Homebrew",
      host({ platform: "darwin", isInteractive: true }),
      "refuse: install Homebrew (https://brew.sh), then run `brew install redis`",
    ],
    [
      "Windows",
      host({ platform: "win32", isInteractive: true }),
      "refuse: run fanfold inside WSL, where the embedded Redis works",
    ],
    [
      "another system",
      host({ platform: "freebsd", isRoot: true, isInteractive: true }),
      "refuse: install Redis 6.2 or newer, or Valkey, with the package manager of your system",
    ],
  ])("decides for %s", (_, given, expected) => {
    expect(summarise(chooseInstall(given))).toBe(expected);
  });
});
