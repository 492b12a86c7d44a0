export { hashPassword } from "./auth/password.ts";
export { DashboardError, type DashboardErrorCode } from "./server/dashboard-error.ts";
export type { DashboardLog } from "./server/dashboard-log.ts";
export { DashboardService, type DashboardSettings } from "./server/dashboard-service.ts";
