import { readFileSync } from "node:fs";
import { closestName, compilePlanText, type PlanSource } from "@fanfold/core";
import { type TemplateDocument, type TemplateInfo, TemplateNameSchema, TemplateVersionSchema } from "@fanfold/schemas";
import { MAX_TEMPLATE_BYTES, MAX_TEMPLATE_VERSIONS, type NewTemplate, type Store } from "@fanfold/store";
import { EngineError } from "./engine-error.ts";

/** Templates that are always there. */
const BUILT_IN = ["plan-dev-test-verify", "dev-test", "map-reduce", "safe-merge"] as const;

const TEMPLATES_DIR = new URL("../templates/", import.meta.url);

/** One version of a template, as lists show it. */
export interface ListedTemplate {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly phaseCount: number;
  /** Undefined for a built-in one. */
  readonly addedAtMs: number | undefined;
}

/** A template with the text of its plan. */
export interface FoundTemplate extends ListedTemplate {
  /** The text, under the name that problems have. */
  readonly source: PlanSource;
}

/** A template as plain JSON, for programs. */
export function templateDocument({
  name,
  version,
  description,
  phaseCount,
  addedAtMs,
}: ListedTemplate): TemplateDocument {
  return {
    name,
    version,
    description,
    phase_count: phaseCount,
    is_built_in: addedAtMs === undefined,
    added_at_ms: addedAtMs ?? null,
  };
}

/** Every version of every template: the built-in ones, then the stored ones by name, the latest first. */
export async function listTemplates(store: Store): Promise<ListedTemplate[]> {
  const stored = (await store.templates.list()).map(listed);
  const names = [...new Set(stored.map(({ name }) => name))].sort();
  return [...builtIn(), ...names.flatMap((name) => stored.filter((template) => template.name === name))];
}

/** Finds a built-in template, for which no deployment is needed; undefined when there is none of this reference. */
export function findBuiltInTemplate(reference: string): FoundTemplate | undefined {
  const { name, version } = parseReference(reference);
  return builtIn().find((own) => own.name === name && (version === undefined || own.version === version));
}

/**
 * Finds a template by `NAME`, which is its latest version, or `NAME@VERSION`.
 *
 * @throws {EngineError} UNKNOWN_TEMPLATE, with the name that was probably meant; TEMPLATE_NOT_TRUSTED where this process
 *   has a key and the template was not signed with it
 */
export async function findTemplate(store: Store, reference: string): Promise<FoundTemplate> {
  const { name, version } = parseReference(reference);
  const own = builtIn().find((template) => template.name === name);
  if (own !== undefined) {
    if (version === undefined || version === own.version) return own;
    throw unknownVersion(name, version, [own.version]);
  }
  const all = await store.templates.list();
  const versions = all.filter((template) => template.name === name);
  const info = versions.find((template) => version === undefined || template.version === version);
  const found = info === undefined ? undefined : await store.templates.findText(info);
  if (info !== undefined && found !== undefined) {
    if (found.trust === "unsigned" || found.trust === "altered") {
      const why = found.trust === "unsigned" ? "was added without the signing key" : "is not what was signed";
      throw new EngineError(
        "TEMPLATE_NOT_TRUSTED",
        `template ${name}@${info.version} ${why}; remove it and add it again`,
      );
    }
    return { ...listed(info), source: { text: found.text, file: `template ${name}@${info.version}` } };
  }
  if (versions.length > 0) {
    throw unknownVersion(
      name,
      version ?? "",
      versions.map((template) => template.version),
    );
  }
  const meant = closestName(name, [...BUILT_IN, ...all.map((template) => template.name)]);
  const hint = meant === undefined ? "`fanfold template ls` lists them" : `did you mean "${meant}"?`;
  throw new EngineError("UNKNOWN_TEMPLATE", `there is no template ${name}; ${hint}`);
}

/**
 * Stores a version of a template. The same version with the same text is left as it is.
 *
 * @param template a plan that was found valid
 * @returns whether it is new
 * @throws {EngineError} INVALID_TEMPLATE, BUILT_IN_TEMPLATE, TEMPLATE_EXISTS
 */
export async function addTemplate(store: Store, template: NewTemplate, nowMs: number): Promise<boolean> {
  const { name, version, text } = template;
  for (const [what, schema, value] of [
    ["name", TemplateNameSchema, name],
    ["version", TemplateVersionSchema, version],
  ] as const) {
    const issue = schema.safeParse(value).error?.issues[0];
    if (issue === undefined) continue;
    throw new EngineError(
      "INVALID_TEMPLATE",
      `${JSON.stringify(value)} cannot be the ${what} of a template: ${issue.message}`,
    );
  }
  refuseBuiltIn(name, "give yours another name");
  if (Buffer.byteLength(text) > MAX_TEMPLATE_BYTES) {
    const size = `${Buffer.byteLength(text)} bytes, more than ${MAX_TEMPLATE_BYTES}`;
    throw new EngineError("INVALID_TEMPLATE", `the plan has ${size}`);
  }
  const added = await store.templates.add(template, nowMs);
  if (added === "taken") {
    const remedy = "give the plan another version";
    throw new EngineError("TEMPLATE_EXISTS", `template ${name}@${version} is there with another plan; ${remedy}`);
  }
  if (added === "full") {
    const remedy = "remove some that nobody needs";
    throw new EngineError("TEMPLATE_EXISTS", `there are ${MAX_TEMPLATE_VERSIONS} versions of templates; ${remedy}`);
  }
  return added === "added";
}

/**
 * Removes a version of a template, or all of them. Runs that were started from it keep their plans.
 *
 * @returns the versions that are gone
 * @throws {EngineError} BUILT_IN_TEMPLATE, UNKNOWN_TEMPLATE
 */
export async function removeTemplate(store: Store, reference: string): Promise<string[]> {
  const { name, version } = parseReference(reference);
  refuseBuiltIn(name, "it cannot be removed");
  const found = (await store.templates.list()).filter(
    (template) => template.name === name && (version === undefined || template.version === version),
  );
  if (found.length === 0) await findTemplate(store, reference);
  await store.templates.remove(found);
  return found.map((template) => template.version);
}

function parseReference(reference: string): { name: string; version: string | undefined } {
  const at = reference.indexOf("@");
  return at < 0
    ? { name: reference, version: undefined }
    : { name: reference.slice(0, at), version: reference.slice(at + 1) };
}

function refuseBuiltIn(name: string, remedy: string): void {
  if (!BUILT_IN.some((own) => own === name)) return;
  throw new EngineError("BUILT_IN_TEMPLATE", `template ${name} is built in; ${remedy}`);
}

function unknownVersion(name: string, version: string, versions: readonly string[]): EngineError {
  const known = versions.slice(0, 10).join(", ");
  return new EngineError("UNKNOWN_TEMPLATE", `template ${name} has no version ${version}; it has ${known}`);
}

function listed({ name, version, description, phase_count, added_at_ms }: TemplateInfo): ListedTemplate {
  return { name, version, description, phaseCount: phase_count, addedAtMs: added_at_ms };
}

let loaded: FoundTemplate[] | undefined;

function builtIn(): FoundTemplate[] {
  loaded ??= BUILT_IN.map((name) => {
    const source = { text: readFileSync(new URL(`${name}.yaml`, TEMPLATES_DIR), "utf8"), file: `template ${name}` };
    const result = compilePlanText(source, { isTemplate: true });
    if (!result.ok) throw new Error(`the built-in template ${name} is not valid: ${result.problems[0]?.message}`);
    const { version, description, phases } = result.plan;
    return { name, version, description, phaseCount: phases.length, addedAtMs: undefined, source };
  });
  return loaded;
}
