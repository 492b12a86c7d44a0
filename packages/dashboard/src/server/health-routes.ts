import { setTimeout as sleep } from "node:timers/promises";
import type { Store } from "@fanfold/store";
import { Router } from "express";

/** Time Redis has to answer before the dashboard counts as not healthy, in ms. */
const HEALTH_DEADLINE_MS = 2_000;

/** `/healthz`: whether Redis answers. `/readyz`: whether the dashboard takes requests, too. For anybody. */
export function createHealthRoutes(store: Store, stop: AbortSignal): Router {
  const router = Router();
  router.get("/healthz", async (_req, res) => {
    if (await answers(store)) res.json({ status: "ok" });
    else res.status(503).json({ status: "unavailable", message: "redis does not answer" });
  });
  router.get("/readyz", async (_req, res) => {
    if (stop.aborted) res.status(503).json({ status: "stopping", message: "the dashboard is stopping" });
    else if (await answers(store)) res.json({ status: "ready" });
    else res.status(503).json({ status: "unavailable", message: "redis does not answer" });
  });
  return router;
}

async function answers({ redis }: Store): Promise<boolean> {
  if (redis.status !== "ready") return false;
  const answered = redis.ping().then(
    () => true,
    () => false,
  );
  return Promise.race([answered, sleep(HEALTH_DEADLINE_MS, false, { ref: false })]);
}
