export {
  defineHandler,
  type Handler,
  type HandlerContext,
  type HandlerRecord,
} from "./attempt/define-handler.ts";
export type { WorkerRules } from "./attempt/worker-rules.ts";
export { WorkerService, type WorkerSettings } from "./worker-service.ts";
