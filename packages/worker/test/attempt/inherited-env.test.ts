import { expect, test } from "vitest";
import { inheritedEnv } from "../../src/attempt/inherited-env.ts";

const ENV = {
  PATH: "/bin",
  HOME: "/root",
  LC_ALL: "C",
  TZ: "UTC",
  AWS_REGION: "eu",
  AWS_KEY: "k",
  AWS: "x",
  OTHER: "y",
  FANFOLD_SECRET_TOKEN: "s",
  FANFOLD_SIGNING_KEY: "s",
  FANFOLD_USERS: "s",
  FANFOLD_TOKENS: "s",
  FANFOLD_SESSION_KEY: "s",
  REDIS_URL: "redis://user:s@host",
  FANFOLD_WORKSPACE: "/w",
};

test("a worker passes on its whole environment, without secrets of its own", () => {
  expect(Object.keys(inheritedEnv(ENV, null)).sort()).toEqual(
    ["PATH", "HOME", "LC_ALL", "TZ", "AWS_REGION", "AWS_KEY", "AWS", "OTHER", "FANFOLD_WORKSPACE"].sort(),
  );
});

test("a worker that names what it passes on passes on that and the usual", () => {
  const passed = inheritedEnv(ENV, ["AWS_*", "O?HER"]);
  expect(Object.keys(passed).sort()).toEqual(["AWS_KEY", "AWS_REGION", "HOME", "LC_ALL", "PATH", "TZ"]);
});

test("no name passes on a secret of the deployment", () => {
  expect(inheritedEnv(ENV, ["*"])).toEqual(inheritedEnv(ENV, null));
  expect(inheritedEnv(ENV, ["REDIS_URL"])).not.toHaveProperty("REDIS_URL");
});
