import { NothingSchema, type Role } from "@fanfold/schemas";
import type { Request, RequestHandler, Response } from "express";
import type { z } from "zod";
import { readPart } from "./failure-of.ts";

/** Who asks. */
export interface Caller {
  readonly user: string;
  readonly role: Role;
}

/** What a route reads of a request, checked. */
export interface RouteInput<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType> {
  readonly params: z.output<Params>;
  readonly query: z.output<Query>;
  readonly body: z.output<Body>;
  readonly caller: Caller;
}

/** A request and its answer, for routes that write the answer by themselves. */
export interface Exchange {
  readonly req: Request;
  readonly res: Response;
}

/** What every route says of itself; the OpenAPI document is made from it. */
export interface RouteFacts {
  readonly method: "get" | "post" | "delete";
  /** Below `/api/v1`, with parameters as Express spells them. */
  readonly path: string;
  readonly summary: string;
  /** Who may use it: anybody, or who may look; by default who may look for `get`, and operators for the rest. */
  readonly access: "open" | "viewer" | "default";
  /** Media type of a success. */
  readonly produces: string;
  readonly params: z.ZodType;
  readonly query: z.ZodType;
  readonly body: z.ZodType;
  /** Shape of a JSON answer; undefined for streams and bytes. */
  readonly answer: z.ZodType | undefined;
}

/** A route of the API. */
export interface ApiRoute extends RouteFacts {
  /** What a request passes first. */
  readonly before: readonly RequestHandler[];
  /** Answers a request of somebody who may make it. @throws {ApiFailure} and what {@link failureOf} knows */
  run(exchange: Exchange, caller: Caller): Promise<void>;
}

interface Parts<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType> {
  readonly method?: RouteFacts["method"];
  readonly path: string;
  readonly summary: string;
  readonly access?: RouteFacts["access"];
  readonly before?: readonly RequestHandler[];
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
}

type Nothing = typeof NothingSchema;

interface JsonParts<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType, Answer extends z.ZodType>
  extends Parts<Params, Query, Body> {
  readonly answer: Answer;
  handle(input: RouteInput<Params, Query, Body>, exchange: Exchange): Promise<z.input<Answer>> | z.input<Answer>;
  /** Status of an answer (default 200). */
  statusOf?(answer: z.input<Answer>): number;
}

/** A route that answers with JSON. */
export function jsonRoute<
  Answer extends z.ZodType,
  Params extends z.ZodType = Nothing,
  Query extends z.ZodType = Nothing,
  Body extends z.ZodType = Nothing,
>(parts: JsonParts<Params, Query, Body, Answer>): ApiRoute {
  const schemas = schemasOf(parts);
  return {
    ...factsOf(parts),
    produces: "application/json",
    answer: parts.answer,
    async run(exchange, caller) {
      const answer = await parts.handle(readInput(schemas, exchange.req, caller), exchange);
      exchange.res.status(parts.statusOf?.(answer) ?? 200).json(answer);
    },
  };
}

interface RawParts<Params extends z.ZodType, Query extends z.ZodType> extends Parts<Params, Query, Nothing> {
  readonly produces: string;
  handle(input: RouteInput<Params, Query, Nothing>, exchange: Exchange): Promise<void>;
}

/** A route that writes its answer by itself: a stream, or bytes. */
export function rawRoute<Params extends z.ZodType = Nothing, Query extends z.ZodType = Nothing>(
  parts: RawParts<Params, Query>,
): ApiRoute {
  const schemas = schemasOf<Params, Query, Nothing>(parts);
  return {
    ...factsOf(parts),
    produces: parts.produces,
    answer: undefined,
    run: (exchange, caller) => parts.handle(readInput(schemas, exchange.req, caller), exchange),
  };
}

interface Schemas<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType> {
  readonly params: Params | undefined;
  readonly query: Query | undefined;
  readonly body: Body | undefined;
}

function schemasOf<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType>(
  parts: Parts<Params, Query, Body>,
): Schemas<Params, Query, Body> {
  return { params: parts.params, query: parts.query, body: parts.body };
}

function factsOf(parts: Parts<z.ZodType, z.ZodType, z.ZodType>): Omit<ApiRoute, "produces" | "answer" | "run"> {
  const { method = "get", path, summary, access = "default", before = [] } = parts;
  const { params = NothingSchema, query = NothingSchema, body = NothingSchema } = parts;
  return { method, path, summary, access, before, params, query, body };
}

function readInput<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType>(
  schemas: Schemas<Params, Query, Body>,
  req: Request,
  caller: Caller,
): RouteInput<Params, Query, Body> {
  const body: unknown = req.body;
  return {
    params: readAs(schemas.params, req.params, "path"),
    query: readAs(schemas.query, req.query, "query"),
    body: readAs(schemas.body, body, "body"),
    caller,
  };
}

/** A part that the route does not name has to be empty. */
function readAs<Schema extends z.ZodType>(schema: Schema | undefined, value: unknown, part: string): z.output<Schema>;
function readAs(schema: z.ZodType | undefined, value: unknown, part: string): unknown {
  return readPart(schema ?? NothingSchema, value, part);
}
