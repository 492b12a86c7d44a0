/** A command and its arguments, run without a shell. */
export type InstallCommand = readonly string[];

/** What the choice of an install command depends on. */
export interface InstallHost {
  platform: NodeJS.Platform;
  isRoot: boolean;
  /** Somebody is there to answer a question. */
  isInteractive: boolean;
  /** systemd runs services here, so a package may have started one. */
  hasSystemd: boolean;
  /** Those of `INSTALL_COMMAND_NAMES` that are on `PATH`. */
  commands: ReadonlySet<string>;
}

/** Commands of an installation, in order. Only `alternatives` decides about success: the first that exits 0 is enough. */
export interface InstallSteps {
  before: InstallCommand[];
  alternatives: InstallCommand[];
  after: InstallCommand[];
}

/** Either what to run, and whether a person has to agree first, or what to tell the user to do. */
export type InstallDecision =
  | { kind: "install"; steps: InstallSteps; needsYes: boolean; advice: string }
  | { kind: "refuse"; advice: string };

const LINUX_MANAGERS = ["apt-get", "dnf", "yum", "zypper", "apk", "pacman"] as const;
type LinuxManager = (typeof LINUX_MANAGERS)[number];

/** Every command whose presence matters to {@link chooseInstall}. */
export const INSTALL_COMMAND_NAMES: readonly string[] = [...LINUX_MANAGERS, "brew", "sudo"];

const BREW_INSTALL: InstallCommand = ["brew", "install", "redis"];

/**
 * Decides how a Redis server gets onto this machine. Pure.
 *
 * Root on Linux installs without a question, anybody else only after a yes (and through `sudo` on Linux);
 * where neither is possible the decision is one line of advice.
 */
export function chooseInstall(host: InstallHost): InstallDecision {
  if (host.platform === "darwin") return chooseOnMac(host);
  if (host.platform === "linux") return chooseOnLinux(host);
  if (host.platform === "win32") {
    return { kind: "refuse", advice: "run fanfold inside WSL, where the embedded Redis works" };
  }
  return { kind: "refuse", advice: "install Redis 6.2 or newer, or Valkey, with the package manager of your system" };
}

/** The steps as one shell line, for people to read. */
export function describeInstall({ before, alternatives, after }: InstallSteps): string {
  const attempts = alternatives.map(describeCommand).join(" || ");
  const chained = alternatives.length > 1 && before.length > 0 ? `(${attempts})` : attempts;
  return [...before.map(describeCommand), chained, ...after.map(describeCommand)].join(" && ");
}

/** One command as a shell line, for people to read. */
export function describeCommand(command: InstallCommand): string {
  return command.join(" ");
}

function chooseOnMac(host: InstallHost): InstallDecision {
  const advice = `run \`${describeCommand(BREW_INSTALL)}\``;
  if (!host.commands.has("brew")) {
    return { kind: "refuse", advice: `install Homebrew (https://brew.sh), then ${advice}` };
  }
  if (host.isRoot) return { kind: "refuse", advice: `${advice} as the user that owns Homebrew, which refuses root` };
  if (!host.isInteractive) return { kind: "refuse", advice };
  const steps = { before: [], alternatives: [BREW_INSTALL], after: [] };
  return { kind: "install", steps, needsYes: true, advice };
}

function chooseOnLinux(host: InstallHost): InstallDecision {
  const manager = LINUX_MANAGERS.find((name) => host.commands.has(name));
  if (manager === undefined) {
    return { kind: "refuse", advice: "install Redis 6.2 or newer, or Valkey, with the package manager of your system" };
  }
  const steps = buildLinuxSteps(manager, host.hasSystemd);
  const advice = `run as root: ${describeInstall(steps)}`;
  if (host.isRoot) return { kind: "install", steps, needsYes: false, advice };
  if (!host.isInteractive || !host.commands.has("sudo")) return { kind: "refuse", advice };
  return { kind: "install", steps: withSudo(steps), needsYes: true, advice };
}

function buildLinuxSteps(manager: LinuxManager, hasSystemd: boolean): InstallSteps {
  const steps: Record<LinuxManager, InstallSteps> = {
    "apt-get": buildAptSteps(hasSystemd),
    dnf: offerBoth(["dnf", "install", "-y"]),
    yum: offerBoth(["yum", "install", "-y"]),
    zypper: offerBoth(["zypper", "--non-interactive", "install"]),
    apk: offerBoth(["apk", "add", "--no-cache"]),
    pacman: { before: [], alternatives: [["pacman", "-Sy", "--needed", "--noconfirm", "valkey"]], after: [] },
  };
  return steps[manager];
}

/** Debian's package starts a service at boot and at once, where systemd runs; the embedded Redis wants only the binary. */
function buildAptSteps(hasSystemd: boolean): InstallSteps {
  const apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"];
  return {
    before: [[...apt, "update"]],
    alternatives: [[...apt, "install", "-y", "--no-install-recommends", "redis-server"]],
    after: hasSystemd ? [["systemctl", "disable", "--now", "redis-server"]] : [],
  };
}

/** Newer releases of these systems carry Valkey in place of Redis, older ones only Redis. */
function offerBoth(install: InstallCommand): InstallSteps {
  return {
    before: [],
    alternatives: [
      [...install, "redis"],
      [...install, "valkey"],
    ],
    after: [],
  };
}

function withSudo({ before, alternatives, after }: InstallSteps): InstallSteps {
  return { before: before.map(sudo), alternatives: alternatives.map(sudo), after: after.map(sudo) };
}

function sudo(command: InstallCommand): InstallCommand {
  return ["sudo", ...command];
}
