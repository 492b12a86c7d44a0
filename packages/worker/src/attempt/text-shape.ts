/**
 * A shape of text as two regular expressions: one for the whole of it, and one for every beginning of it, from
 * nothing up to the whole. The second tells whether a text that is cut off may still become the shape.
 */
export interface TextShape {
  readonly whole: string;
  readonly beginning: string;
}

/** A run of characters out of a set, which is a character class or a single character. */
export function run(set: string, min: number, max: number): TextShape {
  return { whole: `${set}{${min},${max}}`, beginning: `${set}{0,${max}}` };
}

/** A fixed text, without characters that mean something to a regular expression. */
export function literal(text: string): TextShape {
  return sequence(...Array.from(text, (char) => ({ whole: char, beginning: `${char}?` })));
}

/** One shape after the other. */
export function sequence(...shapes: readonly TextShape[]): TextShape {
  return {
    whole: shapes.map(({ whole }) => whole).join(""),
    beginning: shapes.reduceRight((rest, { whole, beginning }) => `(?:${whole}${rest}|${beginning})`, ""),
  };
}

/** One of several shapes. */
export function either(...shapes: readonly TextShape[]): TextShape {
  return {
    whole: `(?:${shapes.map(({ whole }) => whole).join("|")})`,
    beginning: `(?:${shapes.map(({ beginning }) => beginning).join("|")})`,
  };
}

/** A shape several times in a row. */
export function repeat({ whole, beginning }: TextShape, min: number, max: number): TextShape {
  return { whole: `(?:${whole}){${min},${max}}`, beginning: `(?:${whole}){0,${max - 1}}${beginning}` };
}

/** A shape that counts only behind or before something, which is not part of it: `(?<!…)`, `(?!…)`. */
export function bounded(behind: string, { whole, beginning }: TextShape, before = ""): TextShape {
  return { whole: `${behind}${whole}${before}`, beginning: `${behind}${beginning}` };
}
