/** Characters on which two parts of a pattern are compared: Latin letters, digits, signs, and a few from far away. */
const SAMPLE = [...Array.from({ length: 0x180 }, (_, code) => String.fromCodePoint(code)), "Ω", "ж", "中", "\u{1F600}"];
/** Parts of a pattern that stand for one character, and those that stand for a place between two. */
const PART =
  /\\(?:[pP]\{[^}]*\}|u\{[^}]*\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|c[A-Za-z]|k<[^>]*>|\d+|.)|\[(?:\\.|[^\]\\])*\]|[^]/suy;
const GROUP_START = /\((?:\?(?:[:=!]|<[=!]|<[^>]*>|[a-z-]*:))?/uy;
const QUANTIFIER = /([*+?]|\{(\d+)(,(\d*))?\})\??/uy;
const BETWEEN = new Set(["^", "$", "\\b", "\\B"]);

interface Term {
  readonly min: number;
  readonly max: number;
  /** Sequences of a group; undefined for a single character. */
  readonly alternatives: readonly (readonly Term[])[] | undefined;
  /** Which characters of the sample it may contain. */
  readonly characters: readonly boolean[];
}

/**
 * Whether a regular expression may need time that doubles with every further character: a repeated group whose
 * content can be cut into repetitions in more than one way, as in `(a+)+` or `(\w|\d)*`. A group whose repetitions
 * are told apart by a separator, as in `(\d+\.)*`, is none. Finds the plain cases, not all there are.
 *
 * @param pattern a valid expression, with the flag `u`
 */
export function isRiskyPattern(pattern: string): boolean {
  return new PatternReader(pattern).readAlternatives().some((sequence) => sequence.some(isRisky));
}

function isRisky({ alternatives, max }: Term): boolean {
  if (alternatives === undefined) return false;
  if (max > 1 && (alternatives.some(isAmbiguousRepeated) || overlap(alternatives))) return true;
  return alternatives.some((sequence) => sequence.some(isRisky));
}

/** Whether a sequence has a part of any length, and nothing that marks where one repetition of it ends. */
function isAmbiguousRepeated(sequence: readonly Term[]): boolean {
  const elastic = sequence.filter(isElastic);
  const isSeparator = (term: Term): boolean => !isNullable(term) && elastic.every((other) => isDisjoint(term, other));
  return elastic.some(isLong) && !sequence.some(isSeparator);
}

/** Whether two single characters to choose from have one in common. */
function overlap(alternatives: readonly (readonly Term[])[]): boolean {
  const single = alternatives.flatMap(([first, second]) => (first && second === undefined ? [first] : []));
  return single.some((term, at) => single.slice(at + 1).some((other) => !isDisjoint(term, other)));
}

function isElastic({ min, max, alternatives }: Term): boolean {
  return min !== max || alternatives?.some((sequence) => sequence.some(isElastic)) === true;
}

function isLong({ min, max, alternatives }: Term): boolean {
  return (min !== max && max > 1) || alternatives?.some((sequence) => sequence.some(isLong)) === true;
}

function isNullable({ min, alternatives }: Term): boolean {
  return min === 0 || alternatives?.some((sequence) => sequence.every(isNullable)) === true;
}

function isDisjoint(a: Term, b: Term): boolean {
  return a.characters.every((has, at) => !has || b.characters[at] !== true);
}

/** Reads a valid expression into terms; lookarounds count as groups that may be empty. */
class PatternReader {
  readonly #pattern: string;
  #at = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  readAlternatives(): Term[][] {
    const alternatives: Term[][] = [[]];
    while (this.#at < this.#pattern.length && this.#pattern[this.#at] !== ")") {
      if (this.#take(/\|/uy) !== undefined) alternatives.push([]);
      else alternatives.at(-1)?.push(...this.#readTerm());
    }
    return alternatives;
  }

  #readTerm(): Term[] {
    const start = this.#take(GROUP_START);
    if (start === undefined) return this.#readCharacter();
    const alternatives = this.readAlternatives();
    this.#at += 1;
    const leaves = alternatives.flat();
    const characters = SAMPLE.map((_, at) => leaves.some((leaf) => leaf.characters[at] === true));
    const isLookaround = /[=!]$/u.test(start[0]);
    const { min, max } = this.#readQuantifier();
    return [{ min: isLookaround ? 0 : min, max, alternatives, characters }];
  }

  #readCharacter(): Term[] {
    const [part = ""] = this.#take(PART) ?? [];
    if (BETWEEN.has(part)) return [];
    const isBackReference = /^\\(?:[1-9]|k<)/u.test(part);
    const expression = isBackReference ? /[^]/u : new RegExp(`^${part}$`, "su");
    const characters = SAMPLE.map((character) => expression.test(character));
    const { min, max } = this.#readQuantifier();
    return [{ min: isBackReference ? 0 : min, max, alternatives: undefined, characters }];
  }

  #readQuantifier(): { min: number; max: number } {
    const [, sign, from, comma, to] = this.#take(QUANTIFIER) ?? [];
    if (sign === undefined) return { min: 1, max: 1 };
    if (from !== undefined) {
      const unbounded = to === "" ? Number.POSITIVE_INFINITY : Number(to);
      return { min: Number(from), max: comma === undefined ? Number(from) : unbounded };
    }
    return { min: sign === "+" ? 1 : 0, max: sign === "?" ? 1 : Number.POSITIVE_INFINITY };
  }

  #take(expression: RegExp): RegExpExecArray | undefined {
    expression.lastIndex = this.#at;
    const match = expression.exec(this.#pattern) ?? undefined;
    if (match !== undefined) this.#at += match[0].length;
    return match;
  }
}
