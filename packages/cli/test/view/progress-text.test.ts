import { expect, test } from "vitest";
import { etaText, percentText, progressBar } from "../../src/view/progress-text.ts";

test("rounds a percent down, and marks what is guessed", () => {
  expect(percentText({ percent: 99.99, percent_mode: "final" })).toBe("99 %");
  expect(percentText({ percent: 45.6, percent_mode: "estimated" })).toBe("~45 %");
  expect(percentText({ percent: 0, percent_mode: "lower_bound" })).toBe("~0 %");
  expect(percentText({ percent: null, percent_mode: "unavailable" })).toBe("");
});

test("tells the time left where there is any", () => {
  expect([null, 0, 0.1, 75].map(etaText)).toEqual(["", "", "100 ms left", "1 min 15 s left"]);
});

test("fills a bar cell by cell, and never beyond its ends", () => {
  expect([-5, 0, 9.9, 10, 55, 99.9, 100, 400].map(progressBar)).toEqual([
    "[..........]",
    "[..........]",
    "[..........]",
    "[#.........]",
    "[#####.....]",
    "[#########.]",
    "[##########]",
    "[##########]",
  ]);
});
