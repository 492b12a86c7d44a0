import { expect, it } from "vitest";
import { z } from "zod";
import { JsonSchema } from "../src/json.ts";

const VALUES = [
  null,
  true,
  0,
  -1.5,
  "",
  [],
  {},
  [1, ["a", { b: null }]],
  { a: { b: [false] } },
  Object.create(null),
  undefined,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  1n,
  Symbol("s"),
  () => 1,
  new Date(0),
  new Map(),
  [undefined],
  { a: undefined },
  { a: [{ b: new Date(0) }] },
];

it("takes what zod's own schema for JSON takes, and nothing else", () => {
  for (const value of VALUES) expect(JsonSchema.safeParse(value).success).toBe(z.json().safeParse(value).success);
});

it("gives the value as it is", () => {
  const value = { a: [1, { b: "c" }] };
  expect(JsonSchema.parse(value)).toEqual(value);
});
