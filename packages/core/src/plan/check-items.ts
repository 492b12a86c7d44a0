import { hasItemReference } from "../shards/read-items.ts";
import type { DeclaredPhase } from "./declared-phase.ts";

const SHELLS = new Set(["sh", "bash", "dash", "ash", "zsh", "ksh", "busybox"]);

/** Something wrong with the way a phase uses its items, and the field it is in. */
export interface ItemFault {
  readonly code: "MISPLACED_FIELD" | "SHELL_INJECTION";
  readonly field: readonly (string | number)[];
  readonly message: string;
}

/** What is wrong with `for_each`, and with the places that use its items. */
export function* findItemFaults({ keys, commandLine }: DeclaredPhase): Generator<ItemFault> {
  if (!keys.written.has("for_each")) return;
  if (keys.written.has("shard")) {
    const message = "for_each makes a shard of each item; it does not go with shard";
    yield { code: "MISPLACED_FIELD", field: ["shard"], message };
  }
  const { command, args, isShell } = commandLine;
  if (isShell && hasItem(command)) yield injection(["command"]);
  const scripts = isShell ? args.keys() : listScripts(command, args);
  for (const at of scripts) if (hasItem(args[at])) yield injection(["args", at]);
}

function injection(field: ItemFault["field"]): ItemFault {
  const message = 'a shell would run what is in {{item}}; write "$FANFOLD_ITEM" instead, in double quotes';
  return { code: "SHELL_INJECTION", field, message };
}

function hasItem(text: string | undefined): boolean {
  return text !== undefined && hasItemReference(text);
}

/** Arguments of a shell that it takes for a script: what follows `-c`. */
function listScripts(command: string | undefined, args: DeclaredPhase["commandLine"]["args"]): number[] {
  if (!SHELLS.has(command?.split("/").at(-1) ?? "")) return [];
  const flag = args.findIndex((arg) => /^-[a-z]*c[a-z]*$/.test(arg ?? ""));
  return flag < 0 ? [] : [flag + 1];
}
