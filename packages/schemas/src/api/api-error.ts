import { z } from "zod";

/** Every code an error of the API can have. */
export const ApiErrorCodeSchema = z.enum([
  "INVALID_REQUEST",
  "INVALID_PLAN",
  "LOGIN_NEEDED",
  "LOGIN_REFUSED",
  "FORBIDDEN",
  "FOREIGN_ORIGIN",
  "NOT_FOUND",
  "STATE_CONFLICT",
  "TOO_LARGE",
  "TOO_MANY_REQUESTS",
  "UNAVAILABLE",
  "INTERNAL",
]);
export type ApiErrorCode = z.infer<typeof ApiErrorCodeSchema>;

/** Body of every answer that is not a success. */
export const ApiErrorSchema = z.strictObject({
  error: z.strictObject({
    code: ApiErrorCodeSchema,
    message: z.string().describe("What was wrong, in a sentence."),
    why: z.string().nullable().describe("The reason, where there is more to say."),
    next_action: z.string().nullable().describe("What to do about it."),
    details: z.array(z.json()).describe("Problems one by one: of a plan with line and column, of a request with path."),
  }),
});
export type ApiError = z.infer<typeof ApiErrorSchema>;
