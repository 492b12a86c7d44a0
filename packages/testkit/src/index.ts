export { compile, Deployment, type DeploymentOptions } from "./deployment.ts";
export { eventually, type EventuallyOptions } from "./eventually.ts";
export { startRedis, type TestRedis } from "./redis.ts";
