import type { Logger } from "pino";

/** What the dashboard needs of a log: refusals and starts at `info`, passing trouble at `debug`. */
export type DashboardLog = Pick<Logger, "info" | "debug">;
