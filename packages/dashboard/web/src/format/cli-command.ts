/** A `fanfold` command line as a POSIX shell reads it. */
export function cliCommand(...words: readonly (string | number)[]): string {
  return ["fanfold", ...words].map((word) => quote(String(word))).join(" ");
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
