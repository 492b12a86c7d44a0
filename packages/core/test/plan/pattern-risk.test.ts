import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isRiskyPattern } from "../../src/plan/pattern-risk.ts";

describe("a pattern is risky", () => {
  test.each([
    "(a+)+",
    "(a*)*b",
    String.raw`(?:\w+\s?)+`,
    String.raw`([a-z]+)*$`,
    String.raw`(\d|\w)+`,
    "(a|a)*",
    String.raw`^(([a-z])+.)+[A-Z]([a-z])+$`,
    "((a{2,})){3}",
    "(?<x>a+){2,}",
    "(x(a+)+y)?",
    "(?:(?:a?)+)+",
    String.raw`(\p{L}+\p{Lu})*`,
    "(?=(a+)+b)a",
    "(.*,)*",
  ])("when a repetition can be cut in several ways: %s", (pattern) => {
    expect(isRiskyPattern(pattern)).toBe(true);
  });

  test.each([
    "",
    String.raw`\d+`,
    String.raw`[a-z]+(-[a-z]+)*`,
    String.raw`(?:[a-z]+-)*[a-z]+`,
    String.raw`(\d+\.){3}\d+`,
    String.raw`v?\d+(\.\d+)*(-[a-z0-9.]+)?`,
    "(ab|cd)+",
    "(foo|far)*",
    String.raw`\(a+\)+`,
    "[(a+)+]",
    String.raw`[^\]+]*`,
    "(fr|ja|de)(,(fr|ja|de))*",
    String.raw`.+@.+\..+`,
    String.raw`(?<year>\d{4})-\k<year>`,
    String.raw`(a)\1{2,3}`,
    String.raw`\u{1F600}+|\cA\x41`,
    "(?:a{2}){3}",
  ])("but not when there is one way only: %s", (pattern) => {
    expect(new RegExp(pattern, "u")).toBeInstanceOf(RegExp);
    expect(isRiskyPattern(pattern)).toBe(false);
  });

  test("is told of any valid expression without failing", () => {
    const piece = fc.constantFrom(
      "a",
      "\\d",
      "[a-c]",
      "(",
      ")",
      "|",
      "*",
      "+",
      "{2,3}",
      "?",
      "(?:",
      "^",
      "$",
      ".",
      "\\.",
      "(?=",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const pattern = pieces.join("");
        fc.pre(isValid(pattern));
        expect(typeof isRiskyPattern(pattern)).toBe("boolean");
      }),
    );
  });
});

function isValid(pattern: string): boolean {
  try {
    return new RegExp(pattern, "u") instanceof RegExp;
  } catch {
    return false;
  }
}
