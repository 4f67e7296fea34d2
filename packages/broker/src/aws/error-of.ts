import { LongshoreError, type Reason } from "@longshore/protocol";
import { AwsError } from "./aws-error.ts";

type Known = readonly [type: string, status: number, details?: Readonly<Record<string, string>>];

const notFound: Known = ["ResourceNotFoundException", 404];
const invalid: Known = ["InvalidParameterValueException", 400];
const unreadable: Known = ["InvalidRequestContentException", 400];
const denied: Known = ["AccessDeniedException", 403];
const busy: Known = ["TooManyRequestsException", 429, { Reason: "ConcurrentInvocationLimitExceeded" }];
const conflict: Known = ["ResourceConflictException", 409];
/** 501 is none of the statuses that AWS's clients try again. */
const unimplemented: Known = ["NotImplementedException", 501];

/** Whatever is not listed is the service's own trouble, which AWS's clients may try again. */
const known: Partial<Record<Reason, Known>> = {
  bad_name: invalid,
  bad_schema: invalid,
  bad_header: invalid,
  body_incomplete: unreadable,
  body_too_slow: unreadable,
  payload_too_large: ["RequestTooLargeException", 413],
  headers_too_large: ["RequestTooLargeException", 413],
  key_missing: ["MissingAuthenticationTokenException", 403],
  token_invalid: ["UnrecognizedClientException", 403],
  token_expired: ["ExpiredTokenException", 403],
  not_allowed: denied,
  function_not_found: notFound,
  route_not_found: ["UnknownOperationException", 404],
  method_not_allowed: ["UnknownOperationException", 404],
  invocation_exists: conflict,
  no_agent_eligible: conflict,
  image_has_no_command: conflict,
  wrong_architecture: conflict,
  image_runs_as_root: conflict,
  image_not_found: conflict,
  idempotency_mismatch: conflict,
  no_free_slot: busy,
  backlog_full: busy,
  agent_busy: busy,
  quota: busy,
  contract_unimplemented: unimplemented,
};

/** Any thrown value as AWS's clients know errors. */
export function awsErrorOf(thrown: unknown): AwsError {
  if (thrown instanceof AwsError) return thrown;
  if (!(thrown instanceof LongshoreError)) return new AwsError("ServiceException", 500, "Cannot answer: an unexpected fault of the broker");
  const [type, status, details] = known[thrown.reason as Reason] ?? ["ServiceException", 500];
  return new AwsError(type, status, thrown.message, { ...details, ...(thrown.retryAfterMs !== undefined && { retryAfterSeconds: String(Math.max(1, Math.ceil(thrown.retryAfterMs / 1000))) }) });
}
