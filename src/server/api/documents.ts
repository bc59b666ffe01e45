/** The OpenAPI and the AsyncAPI document, made from the routes and the messages. */

import { z } from "zod";

import { ERRORS, type ErrorCode } from "../../errors.ts";
import { SUBPROTOCOL } from "../../stream/protocol.ts";
import { PROBLEM_TYPE } from "../problem-document.ts";
import { problem } from "./problem.ts";
import type { Answer, Parameter, Route } from "./route.ts";
import { CLIENT_MESSAGES, SERVER_MESSAGES, type MessageSchema } from "./schemas/messages.ts";
import { named } from "./schemas/values.ts";

type Json = Record<string, unknown>;

const SCHEMAS = "#/components/schemas/";

/** Every named schema, by its name. */
function namedSchemas(): Json {
  const { schemas } = z.toJSONSchema(named, { uri: (id) => SCHEMAS + id, io: "input", unrepresentable: "any" });
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, plain(schema)]));
}

/** A schema where it is used: a reference where it has a name. */
function schemaOf(schema: z.ZodType): Json {
  const name = named.get(schema)?.id;
  if (name !== undefined) return { $ref: SCHEMAS + name };
  const { $defs: _, ...inline } = plain(
    z.toJSONSchema(schema, { metadata: named, io: "input", unrepresentable: "any" }),
  );
  return JSON.parse(JSON.stringify(inline).replaceAll("#/$defs/", SCHEMAS)) as Json;
}

/** Without what only a document of its own would say. */
function plain({ $schema: _schema, $id: _id, ...schema }: Json): Json {
  return schema;
}

export function openApiDocument(routes: readonly Route[], version: string): object {
  const paths: Record<string, Json> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method] = operation(route);
  return {
    openapi: "3.1.0",
    info: {
      title: "Milepost",
      version,
      description:
        "Upgrades: what has happened, what happens now, and reporting it. Ids stand in addresses as one percent-encoded segment. " +
        "A query of /api and a body hold what is listed and no more: another field, or one twice, is answered with 400 INVALID_ARGUMENT.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    security: [{}, { token: [] }, { session: [] }],
    paths,
    components: {
      schemas: namedSchemas(),
      securitySchemes: {
        token: { type: "http", scheme: "bearer" },
        session: { type: "apiKey", in: "cookie", name: "milepost", description: "From POST /api/v1/session" },
      },
    },
  };
}

function operation(route: Route): Json {
  const { operationId, summary, description, action, parameters = [], body, answers } = route;
  return {
    operationId,
    summary,
    ...(description !== undefined && { description }),
    ...(action === undefined ? { security: [{}] } : { "x-action": action }),
    ...(parameters.length > 0 && { parameters: parameters.map(parameterOf) }),
    ...(body !== undefined && {
      requestBody: { required: true, content: { "application/json": { schema: schemaOf(body) } } },
    }),
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, answerOf(answer)])),
      ...errorAnswers(route),
    },
  };
}

const parameterOf = ({ name, in: place, description, schema, required = false }: Parameter): Json => ({
  name,
  in: place,
  description,
  required,
  schema: schemaOf(schema),
});

function answerOf({ description, content, headers }: Answer): Json {
  const types = Object.entries(content ?? {}).map(([type, schema]) => [type, { schema: schemaOf(schema) }]);
  const names = Object.entries(headers ?? {}).map(([name, text]) => [
    name,
    { description: text, schema: { type: "string" } },
  ]);
  return {
    description,
    ...(types.length > 0 && { content: Object.fromEntries(types) as Json }),
    ...(names.length > 0 && { headers: Object.fromEntries(names) as Json }),
  };
}

const EARLY = [
  [408, "The request did not come to its end in time"],
  [417, "An expectation that is not 100-continue"],
  [431, "The address and the headers are larger than 16 KiB"],
] as const;

/** What any route may answer, and what its own errors do, by status. */
function errorAnswers({ action, parameters = [], errors = [] }: Route): Json {
  const isAboutUpgrade = parameters.some(({ in: place, name }) => place === "path" && name === "id");
  const codes: readonly ErrorCode[] = [
    ...errors,
    "FORBIDDEN",
    "NOT_ACCEPTABLE",
    "INVALID_ARGUMENT",
    ...(action === undefined ? [] : (["UNAUTHENTICATED", "TOKEN_EXPIRED", "RATE_LIMITED"] as const)),
    ...(isAboutUpgrade ? (["UNKNOWN_UPGRADE", "INVALID_ID", "CORRUPT"] as const) : []),
    "INTERNAL",
  ];
  const byStatus = Map.groupBy(new Set(codes), (code) => ERRORS[code].httpStatus);
  const problems: readonly (readonly [string, Json])[] = [...byStatus].map(([status, found]) => [
    String(status),
    { description: found.join(", "), content: { [PROBLEM_TYPE]: { schema: schemaOf(problem) } } },
  ]);
  // Before any route.
  const content = { [PROBLEM_TYPE]: { schema: schemaOf(problem) } };
  const early = EARLY.map(([status, description]) => [status, { description, content }]);
  return { ...Object.fromEntries(problems), ...(Object.fromEntries(early) as Json) };
}

export function asyncApiDocument(version: string): object {
  const all = [...SERVER_MESSAGES, ...CLIENT_MESSAGES];
  const refs = (messages: readonly MessageSchema[]) =>
    messages.map(({ name }) => ({ $ref: `#/channels/stream/messages/${name}` }));
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Milepost",
      version,
      description: `JSON text messages over a WebSocket at / or /ws, subprotocol ${SUBPROTOCOL} (optional). An event is sent exactly as it stands in the log.`,
    },
    channels: {
      stream: {
        address: "/ws",
        messages: Object.fromEntries(all.map(({ name }) => [name, { $ref: `#/components/messages/${name}` }])),
      },
    },
    operations: {
      receive: { action: "receive", channel: { $ref: "#/channels/stream" }, messages: refs(CLIENT_MESSAGES) },
      send: { action: "send", channel: { $ref: "#/channels/stream" }, messages: refs(SERVER_MESSAGES) },
    },
    components: {
      messages: Object.fromEntries(
        all.map(({ name, summary, schema }) => [
          name,
          { name, summary, contentType: "application/json", payload: schemaOf(schema) },
        ]),
      ),
      schemas: namedSchemas(),
    },
  };
}
