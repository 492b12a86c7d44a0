/** Letters that surely fit into a row, and rows that are shown at once. */
const ROW_LETTERS = 60;
const MAX_ROWS = 12;

/** Rows that a text takes in a narrow field, at least 1 and at most 12. */
export function rowsOf(text: string): number {
  let rows = 0;
  for (const line of text.split("\n")) {
    rows += Math.max(1, Math.ceil(line.length / ROW_LETTERS));
    if (rows >= MAX_ROWS) return MAX_ROWS;
  }
  return rows;
}
