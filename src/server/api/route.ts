/** A route: what the documents say of it and what it does, in one place. */

import type { HttpBindings } from "@hono/node-server";
import type { Context, Hono } from "hono";
import type { z } from "zod";

import { MilepostError, shown, type ErrorCode } from "../../errors.ts";
import type { Caller } from "../auth/request-guard.ts";
import { checkQuery } from "../query.ts";

/** Node's own request and response, and who calls. */
export interface ApiEnv {
  Bindings: HttpBindings;
  Variables: {
    /** Undefined when the credentials were refused: then `refusal` says why. */
    caller: Caller | undefined;
    refusal: MilepostError | undefined;
  };
}
export type ApiContext = Context<ApiEnv>;

/** The path as it was sent: Request and Hono tidy theirs up, so that another one would be looked at. */
export function sentPath(c: ApiContext): string {
  return (c.env.incoming.url ?? "").replace(/[?#].*$/s, "");
}

/** A value in the address or a header. */
export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly description: string;
  readonly schema: z.ZodType;
  readonly required?: boolean;
}

/** What a route answers when all is well. */
export interface Answer {
  readonly description: string;
  /** Schemas by media type. */
  readonly content?: Readonly<Record<string, z.ZodType>>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Route {
  readonly method: "get" | "post" | "delete";
  /** As in the documents: `/api/v1/upgrades/{id}`. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  /** What the caller must be allowed to do; undefined: anybody may ask. */
  readonly action?: "watch" | "report" | "admin";
  readonly parameters?: readonly Parameter[];
  readonly body?: z.ZodType;
  readonly answers: Readonly<Record<number, Answer>>;
  readonly errors?: readonly ErrorCode[];
  readonly handle: (c: ApiContext) => Response | Promise<Response>;
}

const METHODS = { get: "GET, HEAD", post: "POST", delete: "DELETE" } as const;

/** Adds the routes. What has a route and another method is answered with 405 and what there is. */
export function addRoutes(app: Hono<ApiEnv>, routes: readonly Route[]): void {
  for (const route of routes) app.on(route.method.toUpperCase(), pathPattern(route.path), handlerOf(route));
  for (const path of new Set(routes.map((route) => route.path))) {
    const allowed = routes.filter((route) => route.path === path).map(({ method }) => METHODS[method]);
    app.all(pathPattern(path), (c) => {
      c.header("Allow", [...allowed, "OPTIONS"].join(", "));
      if (c.req.method === "OPTIONS") return c.body(null, 204);
      throw new MilepostError(
        "METHOD_NOT_ALLOWED",
        `${shown(c.req.path)} takes ${allowed.join(", ")}, not ${shown(c.req.method)}`,
      );
    });
  }
}

/** Probes, documents and pictures have no fields to misspell, and whoever asks for them often adds some of their own. */
function handlerOf({ path, parameters = [], handle }: Route): Route["handle"] {
  if (!path.startsWith("/api/")) return handle;
  const known = new Set(parameters.filter((each) => each.in === "query").map(({ name }) => name));
  return (c) => {
    checkQuery(new URL(c.req.url).searchParams, known);
    return handle(c);
  };
}

/** `/badge/{id}.svg` as Hono writes it. */
function pathPattern(path: string): string {
  return path
    .replace(/\{(\w+)\}(\.\w+)?$/, (_, name: string, ending?: string) =>
      ending === undefined ? `:${name}` : `:${name}{[^/]+\\${ending}}`,
    )
    .replace(/\{(\w+)\}(?=\/)/g, ":$1");
}

/** A value of the query. Numbers are read as such. @throws INVALID_ARGUMENT. */
export function queryValue<T extends z.ZodType>(c: ApiContext, name: string, schema: T): z.infer<T> {
  const text = c.req.query(name);
  const value = text !== undefined && /^-?\d{1,15}$/.test(text) ? [text, Number(text)] : [text];
  for (const candidate of value) {
    const { success, data } = schema.safeParse(candidate);
    if (success) return data;
  }
  throw new MilepostError(
    "INVALID_ARGUMENT",
    `${name} in the address cannot be ${shown(text)}; /openapi.json says what it can be`,
  );
}
