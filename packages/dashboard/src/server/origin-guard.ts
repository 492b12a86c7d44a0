import type { RequestHandler } from "express";
import { ApiFailure } from "../api/api-failure.ts";
import type { DashboardLog } from "./dashboard-log.ts";

/** Methods that only look. */
const READS = new Set(["GET", "HEAD", "OPTIONS"]);
/** Names under which a browser of this machine reaches an address that only this machine reaches. */
const OWN_NAMES = new Set(["127.0.0.1", "localhost", "[::1]"]);

/**
 * Refuses what a page of another origin makes a browser send: changes that carry another `Origin` (or that the browser
 * itself calls cross-site), and, where only this machine can reach the dashboard, requests under a foreign host name,
 * which a rebound DNS name would use to read.
 */
export function createOriginGuard({ isLocal }: { isLocal: boolean }, log: DashboardLog): RequestHandler {
  return (req, res, next) => {
    const { origin } = req.headers;
    // what a proxy says of the host counts only where it is told to be trusted
    const host = req.headers.host === undefined ? "" : req.host;
    const site = req.headers["sec-fetch-site"];
    const isForeignName = isLocal && !OWN_NAMES.has(host.replace(/:\d+$/, ""));
    const isForeignPage = (origin !== undefined && !isOriginOf(origin, host)) || site === "cross-site";
    if (!isForeignName && (READS.has(req.method) || !isForeignPage)) return next();
    log.info({ method: req.method, path: req.path, host, origin }, "request of another origin refused");
    const message = "this page changes runs, and only its own pages may ask it to";
    res.status(403).json(new ApiFailure("FOREIGN_ORIGIN", message).body());
  };
}

function isOriginOf(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === host;
}
