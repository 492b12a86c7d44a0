export { SchedulerService } from "./scheduler-service.ts";
