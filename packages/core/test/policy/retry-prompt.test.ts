import { expect, test } from "vitest";
import { retryPrompt } from "../../src/policy/retry-prompt.ts";

test("the prompt of a retry has its parts in order, each once", () => {
  const failed = { attempt: 2, why: "exit code 1", tail: "one\ntwo\n" };
  expect(retryPrompt("Do it.\n", "Think.", failed)).toBe(
    "Do it.\n\nThink.\n\nAttempt 2 failed: exit code 1\n\nThe end of its output:\n\none\ntwo\n",
  );
  expect(retryPrompt("Do it.", null, { ...failed, tail: "" })).toMatch(
    /^Do it\.\n\nThe attempt before .*\n\nAttempt 2 failed: exit code 1\n\nIt left no output\.\n$/,
  );
});
