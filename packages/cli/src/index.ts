export { definePlan, type JournalLine, type PlanInput, type RunRecord } from "@fanfold/schemas";
export { defineHandler, type Handler, type HandlerContext, type HandlerRecord } from "@fanfold/worker";
export {
  type Client,
  type ClientOptions,
  createClient,
  type SubmitOptions,
  type Submitted,
  type TemplateReference,
} from "./client.ts";
