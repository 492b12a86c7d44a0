import { MAX_SPAWN_REQUEST_BYTES, MAX_SPAWNED_IN_RUN } from "@fanfold/schemas";
import { describe, expect, test } from "vitest";
import { checkSpawn, type SpawnCheck } from "../../src/spawn/check-spawn.ts";
import { compilePlanValue } from "../../src/plan/compile-plan.ts";
import { planOf } from "../plan/plan-samples.ts";
import { addChildren, definitionOf, spawnedBy, testingRun } from "./spawn-fixture.ts";

const ASK = { phase: "dev", key: "a" };

/** What comes of a request of a phase of this plan. */
function checkIn(phases: readonly object[], spawner: string, fields: Readonly<Record<string, unknown>>): SpawnCheck {
  const variables = { COLOUR: { default: "blue", required: false } };
  const plan = planOf(compilePlanValue({ plan_id: "p", version: "1", variables, phases }));
  const found = plan.phases.find(({ id }) => id === spawner);
  if (found === undefined) throw new Error(`no phase ${spawner}`);
  return checkSpawn(fields, { plan, spawner: found, spawnedSoFar: 0 });
}

const PHASES = [
  { id: "test", command: "true" },
  { id: "dev", command: "true", spawnable: true },
];
const LANGUAGES = [
  { id: "test", command: "true", matrix: { language: ["french", "spanish"] } },
  { id: "dev", command: "true", spawnable: true, matrix: { language: ["french", "spanish"] } },
  { id: "all", command: "true" },
];

function why(check: SpawnCheck): string {
  return check.kind === "ok" ? check.copyOf.id : `${check.kind}: ${check.why}`;
}

describe("a request to spawn", () => {
  test.each([
    [{ ...ASK, variables: { COLOUR: "blue", ROUND: "1" } }, "dev"],
    [
      { ...ASK, variables: { COLOUR: "red" } },
      "invalid: variable COLOUR of the run cannot be changed; use another name",
    ],
    [{ ...ASK, variables: { "NO-NAME": "1" } }, "invalid: variables.NO-NAME: not a name of a variable"],
    [
      { ...ASK, original_prompt: "x" },
      "invalid: original_prompt cannot be changed; give the child a prompt of its own",
    ],
    [{ ...ASK, regression_context: { reason: "red", output: { any: [1, "thing"] } } }, "dev"],
    [
      { ...ASK, key: "../up" },
      "invalid: key: use letters, digits, '_', '-' and '.', starting with a letter or a digit",
    ],
    [{ ...ASK, phase: "dvv" }, "invalid: the plan has no phase dvv"],
    [{ ...ASK, phase: "test" }, "invalid: phase test is not spawnable; say spawnable: true in the plan to allow it"],
  ])("%j gives %s", (fields, expected) => {
    expect(why(checkIn(PHASES, "test", fields))).toContain(expected);
  });

  test("has a bounded size", () => {
    const check = checkIn(PHASES, "test", { ...ASK, variables: { TEXT: "ä".repeat(MAX_SPAWN_REQUEST_BYTES / 2) } });
    expect(why(check)).toMatch(/^invalid: the request has 65\d+ bytes, more than 65536/);
  });

  test.each([
    ["test[language=french]", "dev", "dev[language=french]"],
    ["test[language=french]", "dev[language=spanish]", "dev[language=spanish]"],
    ["all", "dev", "invalid: phase dev has 2 instances; name one of them, such as dev[language=french]"],
  ])("%s that asks for %s means %s", (spawner, phase, expected) => {
    expect(why(checkIn(LANGUAGES, spawner, { ...ASK, phase }))).toContain(expected);
  });

  test("is refused when the shard has spawned enough, when it is too deep, and when the run has enough", () => {
    const run = testingRun();
    const [child = ""] = addChildren(run, [spawnedBy("a")]);
    const { plan } = run.state;
    const spawner = { ...definitionOf(run, child), spawn: { spawnable: true, max_depth: 1, max_spawned: 20 } };
    expect(why(checkSpawn(ASK, { plan, spawner, spawnedSoFar: 0 }))).toBe(
      "limit: its child would be at depth 2, and max_spawn_depth is 1",
    );
    const tester = definitionOf(run, "test");
    expect(why(checkSpawn(ASK, { plan, spawner: tester, spawnedSoFar: 19 }))).toBe("dev");
    expect(why(checkSpawn(ASK, { plan, spawner: tester, spawnedSoFar: 20 }))).toBe(
      "limit: it has spawned 20 phases, and max_spawned is 20",
    );
    const full = {
      ...plan,
      phases: [...plan.phases, ...Array.from({ length: MAX_SPAWNED_IN_RUN }, () => definitionOf(run, child))],
    };
    expect(why(checkSpawn(ASK, { plan: full, spawner: tester, spawnedSoFar: 0 }))).toContain("1000 is the most");
  });
});
