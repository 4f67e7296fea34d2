/** Our own HTTP headers. Any other inbound `Longshore-*` and every `Nats-*` header is dropped before it reaches bus or image. */
export const headers = {
  /** In and out: the caller's UUIDv7, or the one the broker made. */
  invocationId: "longshore-invocation-id",
  /** In: `site=plant,label.gpu=true`; narrows where the function may run, never widens it. */
  where: "longshore-where",
  /** In: how many milliseconds the caller gives the call, at most the function's timeout. */
  deadlineMs: "longshore-deadline-ms",
  idempotencyKey: "idempotency-key",
  /** Out: which site, agent and revision answered. */
  site: "longshore-site",
  agent: "longshore-agent",
  revision: "longshore-revision",
  /** Out: the outcome, `succeeded`, `failed` …: tells whose 5xx it is. */
  result: "longshore-result",
  /** Out: `warm`, `held` or `cold`. */
  start: "longshore-start",
  /** To the image: when the call must be over, as RFC 3339. */
  deadline: "longshore-deadline",
  /** To a webhook's receiver: which delivery of it this is, from 1. */
  deliveryAttempt: "longshore-delivery-attempt",
  /** To the image: which schedule the run is of, and its due time as RFC 3339. */
  schedule: "longshore-schedule",
  due: "longshore-due",
  traceparent: "traceparent",
  tracestate: "tracestate",
  /** Out, with traces on: the invocation's own span. */
  traceresponse: "traceresponse",
} as const;

/** A list of header fields as they stood on the wire: order, case and repetition kept. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

const hopByHop = new Set(["connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"]);

/** Headers that concern one connection only (RFC 9110, 7.6.1), named lower case. */
export function isHopByHop(lowerCaseName: string): boolean {
  return hopByHop.has(lowerCaseName);
}

/** Headers of ours, or of the bus, that must not pass from a caller to bus or image. */
export function isReserved(lowerCaseName: string): boolean {
  return lowerCaseName.startsWith("longshore-") || lowerCaseName.startsWith("nats-");
}
