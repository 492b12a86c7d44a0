import { expect, test } from "vitest";
import { NameSuggester } from "../../src/plan/name-suggester.ts";

const suggester = new NameSuggester(["command", "depends_on", "env", "id", "timeout_sec", "retry_delay_sec"]);

test.each([
  ["comand", "command"],
  ["commmandd", "command"],
  ["cmomand", "command"],
  ["dependsOn", "depends_on"],
  ["depends-on", "depends_on"],
  ["ENV", "env"],
  ["environment", "env"],
  ["timeout", "timeout_sec"],
  ["retry", "retry_delay_sec"],
  ["xy", undefined],
  ["script", undefined],
  ["", undefined],
])("%j was probably meant to be %j", (name, expected) => {
  expect(suggester.closest(name)).toBe(expected);
});

test("a typo wins over a shared beginning", () => {
  expect(new NameSuggester(["build_all", "built"]).closest("build")).toBe("built");
});

test("hints stop, rather than slow a plan down that is wrong everywhere", () => {
  const many = new NameSuggester(Array.from({ length: 1_000 }, (_, index) => `phase_${index}`));
  const found = Array.from({ length: 1_500 }, () => many.closest("phase_1x"));
  expect(found[0]).toBe("phase_1");
  expect(found.at(-1)).toBeUndefined();
});
