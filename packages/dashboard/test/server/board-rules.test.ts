import { appRoutes } from "@bull-board/api/dist/routes.js";
import { describe, expect, test } from "vitest";
import { BOARD_RULES } from "../../src/server/board-rules.ts";

/** A path with its parameters made anonymous. */
function shape(path: string): string {
  return path.replace(/:\w+/g, ":");
}

/** Every action of Bull Board that changes something, in its order of matching. */
const actions = appRoutes.api.flatMap(({ method, route }) =>
  [method]
    .flat()
    .filter((verb) => verb !== "get")
    .flatMap((verb) => [route].flat().map((path) => `${verb} ${shape(path)}`)),
);

describe("the rules of the board", () => {
  test("judge every action of Bull Board, and match paths in its order", () => {
    const judged = BOARD_RULES.map(({ method, path }) => `${method} ${shape(path)}`);
    const splitOff = "put /api/queues/:/retry/failed";
    expect(judged.filter((action) => action !== splitOff)).toEqual(actions);
    expect(judged.indexOf(splitOff)).toBe(judged.indexOf("put /api/queues/:/retry/:") - 1);
  });

  test("allow what removes, adds and changes no job, and the retry of what failed", () => {
    const allowed = BOARD_RULES.filter(({ refusal }) => refusal === undefined).map(({ path }) => shape(path));
    expect(allowed).toEqual([
      "/api/queues/pause",
      "/api/queues/resume",
      "/api/queues/:/retry/failed",
      "/api/queues/:/pause",
      "/api/queues/:/resume",
      "/api/queues/:/concurrency",
      "/api/queues/:/rate-limit",
      "/api/queues/:/rate-limit/release",
      "/api/queues/:/:/retry",
    ]);
  });
});
