import type { TextStyle } from "./view/text-style.ts";

/** Writes a result: standard output is for what a script may want. */
export function print(text: string): void {
  process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
}

/** Writes a word to the person at the terminal: standard error. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** How text on a stream may look: colours only on a terminal, and never against NO_COLOR. */
export function styleOf(stream: NodeJS.WriteStream): TextStyle {
  const isTty = stream.isTTY;
  const color = (isTty && !process.env.NO_COLOR && process.env.TERM !== "dumb") || Boolean(process.env.FORCE_COLOR);
  return { color, columns: isTty ? stream.columns : undefined, nowMs: Date.now() };
}

/** Whether a stream can be redrawn in place. */
export function canRedraw(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY && !process.env.CI && process.env.TERM !== "dumb";
}
