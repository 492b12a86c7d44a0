import type { ApiParts } from "./api-parts.ts";
import type { ApiRoute } from "./api-route.ts";
import { runRoutes } from "./run-routes.ts";
import { streamRoutes } from "./stream-routes.ts";

/** All routes of the API. Where two paths fit a request the first one answers: `/runs/stream` is not a run. */
export function listApiRoutes(parts: ApiParts): ApiRoute[] {
  return [...streamRoutes(parts), ...runRoutes(parts)];
}
