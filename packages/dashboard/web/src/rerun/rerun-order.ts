import type { RerunRequest } from "@fanfold/schemas";
import { cliCommand } from "../format/cli-command.ts";

/** How far a rerun of a phase goes. */
export type Reach = Exclude<RerunRequest["reach"], "update">;

/** What somebody wants to run again: a phase, or whatever is out of date in the run. */
export interface RerunDraft {
  readonly runId: string;
  readonly phase: string | null;
  readonly reach: Reach;
  /** Variables with another value than they have. */
  readonly variables: Readonly<Record<string, string>>;
}

/** What the API is asked for. */
export function rerunBody({ phase, reach, variables }: RerunDraft, preview: boolean): Partial<RerunRequest> {
  const hasVariables = Object.keys(variables).length > 0;
  return {
    ...(phase === null ? { reach: "update" } : { phases: [phase], reach }),
    ...(hasVariables ? { variables } : {}),
    preview,
  };
}

/** The same as a command line. */
export function rerunCommand({ runId, phase, reach, variables }: RerunDraft): string {
  const values = Object.entries(variables).flatMap(([name, value]) => ["--var", `${name}=${value}`]);
  if (phase !== null) {
    const flags = reach === "phase" ? [] : [`--${reach}`];
    return cliCommand("rerun", runId, "--phase", phase, ...flags, ...values);
  }
  const update = cliCommand("run", "--run", runId);
  return values.length === 0 ? update : `${cliCommand("rerun", runId, "--stale", ...values)} && ${update}`;
}
