import type { ServerResponse } from "node:http";
import type { AwsError } from "./aws-error.ts";

/** Answers one of AWS's clients with JSON. */
export function sendAwsJson(response: ServerResponse, value: unknown, status = 200): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": body.length });
  response.end(body);
}

/** Tells one of AWS's clients why not; does nothing once an answer has begun. */
export function sendAwsError(response: ServerResponse, error: AwsError): void {
  if (response.headersSent || response.destroyed) return;
  response.setHeader("x-amzn-ErrorType", error.type);
  const { retryAfterSeconds, ...details } = error.details;
  if (retryAfterSeconds !== undefined) response.setHeader("Retry-After", retryAfterSeconds);
  sendAwsJson(response, { Type: error.status < 500 ? "User" : "Service", message: error.message, ...details }, error.status);
}
