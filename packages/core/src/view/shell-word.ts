/** What a shell takes as it stands. */
const PLAIN_WORD = /^[A-Za-z0-9_.,:/@%+=-]+$/;

/** A text as one word of a command to be pasted into a shell: quoted where it has to be. */
export function shellWord(text: string): string {
  return PLAIN_WORD.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
