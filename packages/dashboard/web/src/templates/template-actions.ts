import { apiPath } from "../api/client.ts";
import { cliCommand } from "../format/cli-command.ts";
import type { Action } from "../ui/action-button.tsx";

/** Removes a version of a template, or all of them. @param version null for all */
export function removeTemplateAction(name: string, version: string | null): Action {
  const reference = version === null ? name : `${name}@${version}`;
  const what = version === null ? `Every version of ${name}` : reference;
  return {
    title: version === null ? "Remove all versions" : "Remove",
    ...(version === null ? {} : { label: `Remove ${reference}` }),
    method: "DELETE",
    path: apiPath(["templates", name], { version }),
    done: ({ versions = [] }) => `removed ${versions.map((one) => `${name}@${one}`).join(", ")}`,
    command: cliCommand("template", "rm", reference),
    warning: `${what} goes, for good. Runs that were started from it have plans of their own, and stay.`,
    isDangerous: true,
  };
}
