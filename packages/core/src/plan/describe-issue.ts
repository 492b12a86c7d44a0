import type { PlanSchema } from "@fanfold/schemas";
import { describeValue, joinNames, quote } from "./describe-value.ts";
import { NameSuggester } from "./name-suggester.ts";
import type { DraftProblem, PlanDraft } from "./plan-draft.ts";
import { findValue, isMap } from "./plan-path.ts";
import type { PlanPath } from "./plan-problem.ts";
import { findShape } from "./plan-shape.ts";

/** What the schema of a plan finds wrong with a value. */
export type PlanIssue = NonNullable<ReturnType<typeof PlanSchema.safeParse>["error"]>["issues"][number];
type IssueOf<Code extends PlanIssue["code"]> = Extract<PlanIssue, { code: Code }>;

/** Kinds of value as the schema calls them, and as people do. */
const KIND_NAMES: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a map",
  record: "a map",
};
/** A union of more kinds than this accepts any JSON value. */
const MAX_NAMED_KINDS = 3;

/** Turns an issue of the schema into problems in the words of an author. An issue with unknown keys has one for each. */
export function describeIssue(issue: PlanIssue, draft: PlanDraft): DraftProblem[] {
  const { path, value } = contextOf(issue, draft);
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => describeUnknownKey(key, path, draft));
  if (issue.code === "invalid_union") return describeUnion(issue, draft);
  if (value === undefined && path.length > 0 && !isInsideList(path)) return [describeMissingKey(issue, draft)];
  return [describeValueIssue(issue, draft)];
}

function contextOf(issue: PlanIssue, draft: PlanDraft) {
  const path = issue.path.map((part) => (typeof part === "symbol" ? String(part) : part));
  return { path, value: findValue(draft.value, path), subject: draft.subject(path) };
}

function isInsideList(path: PlanPath): boolean {
  return typeof path.at(-1) === "number";
}

function describeUnknownKey(key: string, map: PlanPath, draft: PlanDraft): DraftProblem {
  const shape = findShape(map);
  const container = draft.fieldName(map);
  const where = container === "" ? "" : ` in ${container}`;
  const place = { path: [...map, key], at: "key" } as const;
  const prefix = draft.prefix(map);
  if (shape?.unsupported.has(key) === true) {
    return { code: "NOT_SUPPORTED", message: `${prefix}${quote(key)}${where} is not supported yet`, ...place };
  }
  const hint = shape?.suggester.hint(key);
  return { code: "UNKNOWN_KEY", message: `${prefix}unknown key ${quote(key)}${where}`, hint, ...place };
}

function describeMissingKey(issue: PlanIssue, draft: PlanDraft): DraftProblem {
  const { path } = contextOf(issue, draft);
  const map = path.slice(0, -1);
  const container = draft.fieldName(map);
  const where = container === "" ? "" : ` in ${container}`;
  const message = `${draft.prefix(map)}${quote(String(path.at(-1)))} is missing${where}`;
  const hint = issue.code === "invalid_value" ? `one of ${joinNames(issue.values.map(String), "or")}` : undefined;
  return { code: "MISSING_KEY", message, path: map, hint };
}

/** Explains the branch the author evidently meant; where no branch is, names the kinds that are accepted. */
function describeUnion(issue: IssueOf<"invalid_union">, draft: PlanDraft): DraftProblem[] {
  const { path, value, subject } = contextOf(issue, draft);
  const isNoWord = (inner: PlanIssue): boolean =>
    inner.code === "invalid_value" && inner.path.length === 0 && typeof value !== "string";
  const meant = issue.errors.find((branch) => !branch.some((inner) => isOtherKind(inner) || isNoWord(inner)));
  if (meant !== undefined) {
    return meant.flatMap((inner) => describeIssue({ ...inner, path: [...path, ...inner.path] }, draft));
  }
  if (draft.fieldName(path) === "shard.over" && isMap(value) && "glob" in value) {
    return [{ code: "NOT_SUPPORTED", message: `${subject}: a glob of files is not supported yet`, path }];
  }
  const kinds = new Set(issue.errors.flat().flatMap((inner) => (isOtherKind(inner) ? [inner.expected] : [])));
  const names = Array.from(kinds, (kind) => KIND_NAMES[kind] ?? kind);
  const wanted = names.length > MAX_NAMED_KINDS ? "a JSON value" : joinNames(names, "or");
  return [{ code: "WRONG_TYPE", message: `${subject} must be ${wanted}, not ${describeValue(value)}`, path }];
}

function isOtherKind(issue: PlanIssue): issue is IssueOf<"invalid_type"> {
  return issue.code === "invalid_type" && issue.path.length === 0;
}

function describeValueIssue(issue: PlanIssue, draft: PlanDraft): DraftProblem {
  const { path, value, subject } = contextOf(issue, draft);
  const found = describeValue(value);
  if (issue.code === "invalid_type") {
    const message = `${subject} must be ${KIND_NAMES[issue.expected] ?? issue.expected}, not ${found}`;
    return { code: "WRONG_TYPE", message, path, hint: hintForType(issue.expected, value, path) };
  }
  if (issue.code === "invalid_value") {
    const values = issue.values.map(String);
    const hint = typeof value === "string" ? new NameSuggester(values).hint(value) : undefined;
    return { code: "BAD_ENUM", message: `${subject} must be ${joinNames(values, "or")}, not ${found}`, path, hint };
  }
  if (issue.code === "too_small" || issue.code === "too_big") {
    return { code: "OUT_OF_RANGE", message: `${subject} ${describeRange(issue, value)}`, path };
  }
  if (issue.code === "invalid_key") return describeBadKey(issue, draft);
  return { code: "INVALID_VALUE", message: `${subject} cannot be ${found}: ${issue.message}`, path };
}

function describeBadKey(issue: IssueOf<"invalid_key">, draft: PlanDraft): DraftProblem {
  const { path } = contextOf(issue, draft);
  const key = quote(String(path.at(-1)));
  const rule = issue.issues[0]?.message ?? issue.message;
  const message = `${draft.prefix(path)}${draft.fieldName(path.slice(0, -1))} cannot have the key ${key}: ${rule}`;
  return { code: "INVALID_VALUE", message, path, at: "key" };
}

function describeRange(issue: IssueOf<"too_small"> | IssueOf<"too_big">, value: unknown): string {
  const isSmall = issue.code === "too_small";
  const limit = isSmall ? issue.minimum : issue.maximum;
  const bound = `${isSmall ? "at least" : "at most"} ${limit}`;
  if (typeof value === "string")
    return value === "" ? "must not be empty" : `must have ${bound} characters, not ${value.length}`;
  if (Array.isArray(value))
    return value.length === 0 ? "must not be empty" : `must have ${bound} entries, not ${value.length}`;
  const strict = `${isSmall ? "more" : "less"} than ${limit}`;
  return `must be ${issue.inclusive === false ? strict : bound}, not ${describeValue(value)}`;
}

function hintForType(expected: string, value: unknown, path: PlanPath): string | undefined {
  const isScalar = typeof value === "number" || typeof value === "boolean";
  const isText = typeof value === "string";
  if (expected === "string" && isScalar) return "put it in quotes";
  if (expected === "array" && (isScalar || isText)) return `write it as a list: [${value}]`;
  if (expected === "array" && isMap(value)) return 'write it as a list, each entry after a "- "';
  if (expected === "object" && path[0] === "variables" && (isScalar || isText)) return `write { default: ${value} }`;
  const isNumber = expected === "number" || expected === "int";
  if (isNumber && isText) return "write a number without quotes; a variable always gives text";
  return undefined;
}
