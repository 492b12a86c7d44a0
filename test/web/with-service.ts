import { scryptSync } from "node:crypto";
import { DashboardService, type DashboardSettings } from "@fanfold/dashboard";
import type { Deployment } from "@fanfold/testkit";
import { SILENT_LOG } from "./with-dashboard.ts";

/** Hash of "correct horse" that takes no time to check. */
export const CHEAP_HASH = `scrypt$2$1$1$c2FsdHNhbHQ$${scryptSync("correct horse", "saltsalt", 32, { N: 2, r: 1, p: 1 }).toString("base64url")}`;

/** Runs `body` with a dashboard of the deployment that has these settings. */
export async function withService(
  deployment: Deployment,
  settings: DashboardSettings,
  body: (dashboard: DashboardService) => Promise<void>,
): Promise<void> {
  const dashboard = new DashboardService(deployment.engine, { port: 0, ...settings }, SILENT_LOG);
  try {
    await dashboard.start();
    await body(dashboard);
  } finally {
    await dashboard.stop();
  }
}
