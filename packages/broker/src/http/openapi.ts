import { errorShape, problemSchema, type Route, routes } from "@longshore/protocol";
import { z } from "zod";

/** The HTTP interface as an OpenAPI 3.1 document, made from the protocol's routes and schemas. */
export function openApiDocument(version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes as readonly Route[]) {
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(route);
  }
  return {
    openapi: "3.1.0",
    info: { title: "Longshore", version, description: "Function URLs (/f/{fn}/…, any method) and the WebSocket interface (/v1/socket) stand beside these paths." },
    paths,
    components: {
      securitySchemes: { key: { type: "http", scheme: "bearer", description: "An API key, lsk_…; not needed on loopback unless the broker says otherwise" } },
      schemas: { Problem: schemaOf(problemSchema, "output"), Error: schemaOf(errorShape, "output") },
    },
  };
}

function operation(route: Route & { readonly id?: string }): Record<string, unknown> {
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map((match) => ({ name: match[1], in: "path", required: true, schema: { type: "string" } }));
  const parameters = [...inPath, ...Object.entries(route.query?.shape ?? {}).map(([name, schema]) => ({ name, in: "query", required: false, schema: schemaOf(schema as z.ZodType, "input") }))];
  return {
    operationId: route.id,
    summary: route.summary,
    ...(parameters.length > 0 && { parameters }),
    ...(route.access === "key" && { security: [{ key: [] }] }),
    ...(route.request !== undefined && { requestBody: { required: true, content: { "application/json": { schema: schemaOf(route.request, "input") } } } }),
    responses: {
      [String(route.status)]: { description: route.summary, ...(route.response !== undefined && { content: { "application/json": { schema: schemaOf(route.response, "output") } } }) },
      default: { description: "Our own error", content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } } },
    },
  };
}

function schemaOf(schema: z.ZodType, io: "input" | "output"): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return rest;
}
