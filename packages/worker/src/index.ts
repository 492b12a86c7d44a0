export {
  defineHandler,
  type Handler,
  type HandlerContext,
  type HandlerRecord,
} from "./attempt/define-handler.ts";
export { WorkerService, type WorkerSettings } from "./worker-service.ts";
