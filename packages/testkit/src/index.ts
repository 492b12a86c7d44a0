export {
  type CliExit,
  type CliOptions,
  CliProcess,
  findProcessesOf,
  type FoundProcess,
  loadPeakMemoryBytes,
  type WaitOptions,
} from "./cli-process.ts";
export { compile, Deployment, type DeploymentOptions } from "./deployment.ts";
export { eventually, type EventuallyOptions } from "./eventually.ts";
export { startRedis, type TestRedis } from "./redis.ts";
