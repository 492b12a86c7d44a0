export type { RetentionSettings } from "./retention-timer.ts";
export { SchedulerService } from "./scheduler-service.ts";
