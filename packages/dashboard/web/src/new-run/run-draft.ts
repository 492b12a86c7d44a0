import { cliCommand } from "../format/cli-command.ts";

/** A run as somebody puts it together: of a plan that is written out, or of a template. */
export interface RunDraft {
  /** `NAME` or `NAME@VERSION`; null for a plan that is written out, or before one is chosen. */
  readonly template: string | null;
  readonly text: string;
  /** Name of the file the text was taken from. */
  readonly fileName: string;
  readonly variables: Readonly<Record<string, string>>;
  /** Phases that are taken out. */
  readonly exclude: readonly string[];
  readonly baseDir: string;
  readonly runId: string;
}

/** A run of nothing yet. */
export const EMPTY_DRAFT: RunDraft = {
  template: null,
  text: "",
  fileName: "",
  variables: {},
  exclude: [],
  baseDir: "",
  runId: "",
};

/** Whether there is nothing to check yet. */
export function isEmptyDraft({ template, text }: RunDraft): boolean {
  return template === null && text.trim() === "";
}

/** Whether a text is JSON rather than YAML, by its first letter. */
export function formatOf(text: string): "json" | "yaml" {
  return text.trimStart().startsWith("{") ? "json" : "yaml";
}

/** The body that checks a draft; null while there is nothing to check. Its run id plays no part. */
export function checkBody(draft: RunDraft): Record<string, unknown> | null {
  return isEmptyDraft(draft) ? null : draftBody({ ...draft, runId: "" });
}

/** The body that checks or submits a draft. What is empty is left out. */
export function draftBody(draft: RunDraft): Record<string, unknown> {
  const { template, text, exclude } = draft;
  const [baseDir, runId] = [draft.baseDir.trim(), draft.runId.trim()];
  const variables = givenOf(draft);
  return {
    ...(template === null ? { plan_text: text, format: formatOf(text) } : { template }),
    ...(variables.length === 0 ? {} : { variables: Object.fromEntries(variables) }),
    ...(exclude.length === 0 ? {} : { exclude }),
    ...(baseDir === "" ? {} : { base_dir: baseDir }),
    ...(runId === "" ? {} : { run_id: runId }),
  };
}

/** The command that does the same, from the top of the workspace. */
export function draftCommand(draft: RunDraft): string {
  const { template, exclude } = draft;
  const [baseDir, runId] = [draft.baseDir.trim(), draft.runId.trim()];
  const file = fileOf(draft);
  const path = baseDir === "" || baseDir === "." ? file : `${baseDir}/${file}`;
  return cliCommand(
    "submit",
    ...(template === null ? [path] : ["--template", template]),
    ...givenOf(draft).flatMap(([name, value]) => ["--var", `${name}=${value}`]),
    ...(exclude.length === 0 ? [] : ["--exclude", exclude.join(",")]),
    ...(runId === "" ? [] : ["--run-id", runId]),
  );
}

/** Name of the file a plan is in, or may be put into. */
export function fileOf({ fileName, text }: Pick<RunDraft, "fileName" | "text">): string {
  return fileName === "" ? `plan.${formatOf(text)}` : fileName;
}

function givenOf({ variables }: RunDraft): [name: string, value: string][] {
  return Object.entries(variables).filter(([, value]) => value !== "");
}
