import { actionRoutes } from "./action-routes.ts";
import { admissionRoutes } from "./admission-routes.ts";
import type { ApiParts } from "./api-parts.ts";
import type { ApiRoute } from "./api-route.ts";
import { artifactRoutes } from "./artifact-routes.ts";
import { deploymentRoutes } from "./deployment-routes.ts";
import { logRoutes } from "./log-routes.ts";
import { planRoutes } from "./plan-routes.ts";
import { rerunRoutes } from "./rerun-routes.ts";
import { runRoutes } from "./run-routes.ts";
import { sessionRoutes } from "./session-routes.ts";
import { shardRoutes } from "./shard-routes.ts";
import { streamRoutes } from "./stream-routes.ts";
import { templateRoutes } from "./template-routes.ts";

/** All routes of the API. Where two paths fit a request the first one answers: `/runs/stream` is not a run. */
export function listApiRoutes(parts: ApiParts): ApiRoute[] {
  return [
    streamRoutes,
    runRoutes,
    shardRoutes,
    logRoutes,
    actionRoutes,
    rerunRoutes,
    admissionRoutes,
    planRoutes,
    templateRoutes,
    artifactRoutes,
    deploymentRoutes,
    sessionRoutes,
  ].flatMap((routesOf) => routesOf(parts));
}
