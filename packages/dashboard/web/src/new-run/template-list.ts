import type { TemplateDocument } from "@fanfold/schemas";

/** A template with all its versions, as somebody chooses it. */
export interface TemplateChoice {
  /** Its latest version. */
  readonly latest: TemplateDocument;
  /** The latest first. */
  readonly versions: readonly string[];
}

/** One choice a template, those of the deployment first. @param templates each version, the latest first */
export function groupTemplates(templates: readonly TemplateDocument[]): readonly TemplateChoice[] {
  const choices = new Map<string, TemplateChoice>();
  for (const template of templates) {
    const before = choices.get(template.name);
    const versions = [...(before?.versions ?? []), template.version];
    choices.set(template.name, { latest: before?.latest ?? template, versions });
  }
  const all = [...choices.values()];
  return [...all.filter(({ latest }) => !latest.is_built_in), ...all.filter(({ latest }) => latest.is_built_in)];
}

/** Takes `NAME` or `NAME@VERSION` apart. */
export function readReference(reference: string): { readonly name: string; readonly version: string | null } {
  const at = reference.indexOf("@");
  return at < 0
    ? { name: reference, version: null }
    : { name: reference.slice(0, at), version: reference.slice(at + 1) };
}
