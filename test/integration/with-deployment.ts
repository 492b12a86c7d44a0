import { Deployment, type DeploymentOptions, startRedis, type TestRedis } from "@fanfold/testkit";
import { afterAll, beforeAll } from "vitest";

/** Gives the tests of a file one Redis, and each of them a deployment of its own. */
export function useDeployments(): (
  body: (deployment: Deployment, redis: TestRedis) => Promise<void>,
  options?: DeploymentOptions,
) => () => Promise<void> {
  let redis: TestRedis | undefined;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis?.stop());
  return (body, options) => async () => {
    if (redis === undefined) throw new Error("redis is not up");
    const deployment = await Deployment.start(redis, options);
    try {
      await body(deployment, redis);
    } finally {
      await deployment.stop();
    }
  };
}
