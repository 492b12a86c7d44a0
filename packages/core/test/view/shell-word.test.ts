import { expect, test } from "vitest";
import { shellWord } from "../../src/view/shell-word.ts";

test.each([
  ["run_019.a-b", "run_019.a-b"],
  ["translate[language=fr]", "'translate[language=fr]'"],
  ["it's; rm -rf $HOME", "'it'\\''s; rm -rf $HOME'"],
  ["", "''"],
])("quotes %s where a shell would not take it as it stands", (text, expected) => {
  expect(shellWord(text)).toBe(expected);
});
