import { headers as ours } from "@longshore/protocol";
import type { IncomingMessage, ServerResponse } from "node:http";
import { methodsOf } from "./router.ts";

/** What a page may read of an answer besides its body and the fields that every page may read. */
const exposed = [ours.invocationId, ours.site, ours.agent, ours.revision, ours.start, ours.result, "retry-after"].join(", ");
const fieldNames = /^[\w!#$%&'*+.^`|~-]+(\s*,\s*[\w!#$%&'*+.^`|~-]+)*$/;
const preflightSeconds = 600;

/**
 * Lets pages of the allowed origins read the answer to a request to the API (the Fetch standard's CORS), and answers a browser's
 * preflight; true when that was it. Pages of other origins get no such field, which is how a browser is told no. Not for function
 * URLs: there the function speaks for itself.
 */
export function answerCors(request: IncomingMessage, response: ServerResponse, path: string, allowedOrigins: readonly string[]): boolean {
  if (allowedOrigins.length === 0) return false;
  response.setHeader("Vary", "Origin");
  const { origin } = request.headers;
  if (origin === undefined || !allowedOrigins.includes(origin)) return false;
  response.setHeader("Access-Control-Allow-Origin", origin);
  response.setHeader("Access-Control-Expose-Headers", exposed);
  const asked = request.headers["access-control-request-method"];
  if (request.method !== "OPTIONS" || asked === undefined) return false;
  const methods = methodsOf(path);
  if (methods.length === 0) return false;
  answerPreflight(response, methods, request.headers["access-control-request-headers"]);
  return true;
}

/** Any header may be asked for: what an invocation carries is for the function to judge. */
function answerPreflight(response: ServerResponse, methods: readonly string[], fields: string | undefined): void {
  response.setHeader("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
  response.setHeader("Access-Control-Allow-Methods", methods.join(", "));
  if (fields !== undefined && fieldNames.test(fields)) response.setHeader("Access-Control-Allow-Headers", fields);
  response.setHeader("Access-Control-Max-Age", preflightSeconds);
  response.writeHead(204).end();
}
