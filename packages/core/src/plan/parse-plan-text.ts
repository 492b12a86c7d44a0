import { Composer, CST, type Document, Parser, type YAMLError } from "yaml";
import { PlainReader } from "./plain-reader.ts";
import type { PlanDocument } from "./plan-document.ts";
import type { PlanProblem } from "./plan-problem.ts";
import { findJsonError } from "../jsonl/find-json-error.ts";
import { SourceText } from "./source-text.ts";
import { isEmptyScalar, YamlDocument } from "./yaml-document.ts";

/** Lists and maps inside each other that a plan's text may have; the composer recurses, so depth has to be bounded. */
const MAX_TEXT_DEPTH = 100;
/** A plan as text. JSON is a kind of YAML here, so that it has positions and refuses a key given twice. */
export interface PlanSource {
  readonly text: string;
  /** Name of the text in problems; what ends with `.json` has to be JSON, with nothing that only YAML allows. */
  readonly file: string;
}

/** What a text gave: a document unless the text cannot be trusted to mean what it seems to. */
export interface ParsedPlanText {
  readonly document: PlanDocument | undefined;
  readonly problems: PlanProblem[];
}

/** Parses the text of a plan and reports every error of syntax in it, in the order of the text. */
export function parsePlanText({ text, file }: PlanSource): ParsedPlanText {
  const source = new SourceText(text.replace(/^\uFEFF/, ""));
  const reader = new TextReader(file, source);
  const document = reader.read();
  if (file.toLowerCase().endsWith(".json")) reader.requireJson();
  return { document, problems: reader.problems.sort((a, b) => a.line - b.line || a.column - b.column) };
}

/** A key as it stands in the text, quotes included. */
const FIRST_KEY = /^(?:"[^"\n]*"|'[^'\n]*'|[^\s:]+)/;

/** Messages for errors whose own message speaks to programmers. */
const OWN_MESSAGES: Partial<Record<YAMLError["code"], string>> = {
  NON_STRING_KEY: "a key has to be text, not a list or a map",
};

type TextProblem = Pick<PlanProblem, "code" | "message" | "hint"> & Partial<Pick<PlanProblem, "severity">>;

class TextReader {
  problems: PlanProblem[] = [];
  readonly #file: string;
  readonly #source: SourceText;

  constructor(file: string, source: SourceText) {
    this.#file = file;
    this.#source = source;
  }

  read(): PlanDocument | undefined {
    const trees = this.#compose();
    for (const { errors, warnings } of trees) {
      for (const error of errors) this.#addYamlError(error, "error");
      for (const warning of warnings) this.#addYamlError(warning, isTagError(warning) ? "error" : "warning");
    }
    const [tree, second] = trees;
    if (second !== undefined) {
      this.#add(
        { code: "YAML_SYNTAX", message: "a second document starts here; keep one plan in a file" },
        second.range[0],
      );
    }
    if (tree === undefined || second !== undefined || tree.errors.some(isFatal)) return undefined;
    if (tree.contents !== null && !isEmptyScalar(tree.contents)) return this.#toDocument(tree);
    const hint = "a plan has at least plan_id, version and phases";
    this.#add({ code: "EMPTY_PLAN", message: "the plan is empty", hint }, 0);
    return undefined;
  }

  /** Where the text is no JSON, that is said, and not what YAML makes of it. */
  requireJson(): void {
    const { text } = this.#source;
    const offset = text.trim() === "" ? undefined : findJsonError(text);
    if (offset === undefined) return;
    const hint = "what a .json file says has to be JSON; comments and trailing commas are for .yaml";
    this.problems = this.problems.filter(({ code }) => code !== "YAML_SYNTAX");
    this.#add({ code: "JSON_SYNTAX", message: describeJsonError(text, offset), hint }, offset);
  }

  #compose(): Document.Parsed[] {
    const { text } = this.#source;
    const tokens = [...new Parser().parse(text)];
    const tooDeep = findTooDeep(tokens);
    if (tooDeep !== undefined) {
      const message = `lists and maps are nested more than ${MAX_TEXT_DEPTH} deep here`;
      this.#add({ code: "TOO_LARGE", message }, tooDeep);
      return [];
    }
    const options = { merge: true, prettyErrors: false, logLevel: "error", stringKeys: true } as const;
    return [...new Composer(options).compose(tokens, true, text.length)];
  }

  #toDocument(tree: Document.Parsed): PlanDocument | undefined {
    const reader = new PlainReader();
    const value = reader.read(tree.contents);
    for (const { offset, ...problem } of reader.unreadable) this.#add(problem, offset);
    if (reader.unreadable.length > 0) return undefined;
    return new YamlDocument(this.#file, this.#source, { root: tree.contents, aliases: reader.aliases, value });
  }

  #addYamlError(error: YAMLError, severity: PlanProblem["severity"]): void {
    const [offset] = error.pos;
    if (error.code === "DUPLICATE_KEY") {
      const key = FIRST_KEY.exec(this.#source.text.slice(offset, offset + 200))?.[0] ?? "";
      this.#add({ code: "DUPLICATE_KEY", message: `the key ${key} is given twice in the same map` }, offset);
      return;
    }
    const code = isTagError(error) ? "UNKNOWN_TAG" : "YAML_SYNTAX";
    this.#add({ severity, code, message: OWN_MESSAGES[error.code] ?? sentence(error.message) }, offset);
  }

  #add(problem: TextProblem, offset: number): void {
    const position = this.#source.position(offset);
    const frame = this.#source.frame(position);
    this.problems.push({ severity: "error", ...problem, path: [], file: this.#file, ...position, frame });
  }
}

/** What is wrong with JSON at the first character that cannot continue it. */
function describeJsonError(text: string, offset: number): string {
  const found = text.charAt(offset);
  if (found === "") return "the text ends in the middle of a value";
  if (found === "/" || found === "#") return "JSON has no comments";
  if (found === "'") return "text stands in double quotes in JSON, not in single ones";
  const isAfterComma = /,\s*$/.test(text.slice(Math.max(0, offset - 1_000), offset));
  if (isAfterComma && (found === "}" || found === "]")) return `JSON allows no comma before ${found}`;
  return `this is not JSON: ${JSON.stringify(found)} cannot stand here`;
}

/** Offset of a collection that is nested too deep. Walks without recursion: the text may be hostile. */
function findTooDeep(tokens: readonly CST.Token[]): number | undefined {
  const open: { token: CST.BlockMap | CST.BlockSequence | CST.FlowCollection; depth: number }[] = [];
  const enter = (token: CST.Token | null | undefined, depth: number): void => {
    if (CST.isCollection(token)) open.push({ token, depth });
  };
  for (const token of tokens) if (token.type === "document") enter(token.value, 1);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next;
    if (depth > MAX_TEXT_DEPTH) return token.offset;
    for (const { key, value } of token.items) {
      enter(key, depth + 1);
      enter(value, depth + 1);
    }
  }
  return undefined;
}

/** A key given twice leaves the rest of the document readable; after any other error its meaning is a guess. */
function isFatal(error: YAMLError): boolean {
  return error.code !== "DUPLICATE_KEY";
}

function isTagError(error: YAMLError): boolean {
  return error.code === "TAG_RESOLVE_FAILED";
}

/** The parser's message in the style of ours: lower case, no full stop. */
function sentence(message: string): string {
  const text = message.charAt(0).toLowerCase() + message.slice(1);
  return text.replace(/\.$/, "").replace(/(["'])quote$/, "$1 quote");
}
