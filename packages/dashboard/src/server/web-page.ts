import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import express, { type RequestHandler, Router } from "express";

/** Files whose names change with their content. */
const HASHED = /^\/assets\//;

/** Where the page's own address is written into it. */
const BASE_TAG = /<base href="[^"]*"/;

/**
 * The web page: its files, and itself for every other address that a browser opens, since the page does its own
 * routing. Undefined when the page is not built.
 *
 * @param basePath path that the page is at; replaces the one in its `<base href>`
 */
export function createWebPage(webDir: string, basePath: string): RequestHandler | undefined {
  const file = join(webDir, "index.html");
  if (!existsSync(file)) return undefined;
  const page = readFileSync(file, "utf8").replace(BASE_TAG, `<base href="${basePath}/"`);
  const router = Router();
  router.use((req, res, next) => {
    res.set("Cache-Control", HASHED.test(req.path) ? "public, max-age=31536000, immutable" : "no-cache");
    next();
  });
  router.use(express.static(webDir, { index: false, redirect: false, cacheControl: false }));
  router.get("/{*path}", (req, res, next) => {
    if (HASHED.test(req.path) || req.accepts("text/html") === false) next();
    else res.type("html").send(page);
  });
  return router;
}
