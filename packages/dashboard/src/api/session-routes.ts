import { LoginSchema, type Me, MeSchema } from "@fanfold/schemas";
import { rateLimit } from "express-rate-limit";
import { ApiFailure } from "./api-failure.ts";
import type { ApiParts } from "./api-parts.ts";
import { type ApiRoute, type Caller, jsonRoute } from "./api-route.ts";

/** Logins that one address may try within {@link WINDOW_MS} and that fail. */
const MAX_FAILED_LOGINS = 10;
const WINDOW_MS = 15 * 60_000;

/** Routes that say who somebody is. */
export function sessionRoutes({ access, log }: ApiParts): ApiRoute[] {
  const meOf = (caller: Caller | undefined): Me => ({
    user: caller?.user ?? null,
    role: caller?.role ?? null,
    is_login_needed: access.isLoginNeeded,
  });
  return [
    jsonRoute({
      path: "/me",
      summary: "Who asks",
      access: "open",
      answer: MeSchema,
      handle: (_input, { req }) => meOf(access.find(req)),
    }),
    jsonRoute({
      method: "post",
      path: "/login",
      summary: "Log in; sets the session cookie",
      access: "open",
      before: [limitLogins()],
      body: LoginSchema,
      answer: MeSchema,
      handle: async ({ body }, exchange) => {
        const caller = await access.logIn(body, exchange);
        log.info({ user: body.user, address: exchange.req.ip, isRight: caller !== undefined }, "login");
        if (caller === undefined)
          throw new ApiFailure("LOGIN_REFUSED", "there is no such user, or the password is wrong");
        return meOf(caller);
      },
    }),
    jsonRoute({
      method: "post",
      path: "/logout",
      summary: "Log out; takes the session cookie away",
      access: "open",
      answer: MeSchema,
      handle: (_input, exchange) => {
        access.logOut(exchange);
        return meOf(undefined);
      },
    }),
  ];
}

function limitLogins() {
  return rateLimit({
    windowMs: WINDOW_MS,
    limit: MAX_FAILED_LOGINS,
    skipSuccessfulRequests: true,
    standardHeaders: "draft-8",
    legacyHeaders: false,
    validate: { trustProxy: false, xForwardedForHeader: false },
    handler: (_req, _res, next) =>
      next(new ApiFailure("TOO_MANY_REQUESTS", "too many logins failed; wait a quarter of an hour")),
  });
}
