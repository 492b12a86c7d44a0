import type { RequestHandler } from "express";
import helmet from "helmet";

/** Nothing from elsewhere, nothing written into the page. Pictures may be made by the page; the graph is laid out by a worker. */
const OWN_ONLY = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", "data:", "blob:"],
  fontSrc: ["'self'"],
  connectSrc: ["'self'"],
  workerSrc: ["'self'"],
  manifestSrc: ["'self'"],
  baseUri: ["'self'"],
  formAction: ["'self'"],
  frameAncestors: ["'none'"],
};

/** Headers of everything but Bull Board: its page has inline styles, and gets a policy of its own. */
export function ownHeaders(): RequestHandler {
  return helmet({
    contentSecurityPolicy: { useDefaults: false, directives: OWN_ONLY },
    strictTransportSecurity: false,
  });
}

/** Keeps Bull Board from loading a font from the internet, which hangs where there is none. */
const OWN_STYLES_ONLY = "style-src 'self' 'unsafe-inline'; frame-ancestors 'none'";

/** Headers of Bull Board. */
export function boardHeaders(): RequestHandler[] {
  const others = helmet({ contentSecurityPolicy: false, strictTransportSecurity: false });
  return [
    others,
    (_req, res, next) => {
      res.set("Content-Security-Policy", OWN_STYLES_ONLY);
      next();
    },
  ];
}
