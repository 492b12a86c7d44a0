import { cliCommand } from "../format/cli-command.ts";
import { fileOf, formatOf } from "../new-run/run-draft.ts";

/** A template as somebody writes it. */
export interface TemplateDraft {
  readonly text: string;
  /** Name of the file the text was taken from. */
  readonly fileName: string;
  /** Empty for the plan's `plan_id`. */
  readonly name: string;
}

/** A template of nothing yet. */
export const EMPTY_TEMPLATE: TemplateDraft = { text: "", fileName: "", name: "" };

/** The body that checks a template; null while there is nothing to check. */
export function templateCheckBody({ text }: TemplateDraft): Record<string, unknown> | null {
  return text.trim() === "" ? null : { plan_text: text, format: formatOf(text), as_template: true };
}

/** The body that adds a template. */
export function templateBody({ text, name }: TemplateDraft): Record<string, unknown> {
  return { plan_text: text, format: formatOf(text), ...(name.trim() === "" ? {} : { name: name.trim() }) };
}

/** The command that does the same. */
export function templateCommand(draft: TemplateDraft): string {
  const name = draft.name.trim();
  return cliCommand("template", "add", fileOf(draft), ...(name === "" ? [] : ["--name", name]));
}
