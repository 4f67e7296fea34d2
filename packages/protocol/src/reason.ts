import type { Code } from "./code.ts";

interface ReasonEntry {
  readonly code: Code;
  /** The HTTP status of this reason, where it differs from its code's own. */
  readonly httpStatus: number;
}

const entry = (code: Code, httpStatus: number): ReasonEntry => ({ code, httpStatus });

/**
 * Every reason a {@link LongshoreError} can carry, with its code and HTTP status. `docs/errors.md` has a heading for each; a
 * test holds the two together.
 */
export const reasons = {
  bad_name: entry("invalid_argument", 400),
  bad_schema: entry("invalid_argument", 400),
  bad_frame: entry("invalid_argument", 400),
  bad_header: entry("invalid_argument", 400),
  payload_too_large: entry("invalid_argument", 413),
  headers_too_large: entry("invalid_argument", 431),
  idempotency_mismatch: entry("invalid_argument", 422),
  body_incomplete: entry("invalid_argument", 400),
  body_too_slow: entry("invalid_argument", 408),
  backup_damaged: entry("invalid_argument", 400),
  ambiguous_port: entry("invalid_argument", 400),
  token_invalid: entry("unauthenticated", 401),
  token_expired: entry("unauthenticated", 401),
  key_missing: entry("unauthenticated", 401),
  not_allowed: entry("permission_denied", 403),
  registry_denied: entry("permission_denied", 403),
  function_not_found: entry("not_found", 404),
  invocation_not_found: entry("not_found", 404),
  dead_letter_not_found: entry("not_found", 404),
  agent_not_found: entry("not_found", 404),
  site_not_found: entry("not_found", 404),
  registry_not_found: entry("not_found", 404),
  aws_key_not_found: entry("not_found", 404),
  schedule_not_found: entry("not_found", 404),
  image_not_found: entry("not_found", 404),
  route_not_found: entry("not_found", 404),
  method_not_allowed: entry("unimplemented", 405),
  invocation_exists: entry("already_exists", 409),
  attempt_withdrawn: entry("cancelled", 499),
  token_used: entry("already_exists", 409),
  revision_conflict: entry("already_exists", 409),
  state_exists: entry("already_exists", 409),
  no_agent_eligible: entry("failed_precondition", 400),
  image_has_no_command: entry("failed_precondition", 400),
  image_runs_as_root: entry("failed_precondition", 400),
  wrong_architecture: entry("failed_precondition", 400),
  result_not_kept: entry("failed_precondition", 400),
  request_not_kept: entry("failed_precondition", 400),
  still_running: entry("failed_precondition", 409),
  not_durable: entry("failed_precondition", 400),
  bad_answer: entry("failed_precondition", 400),
  revision_unknown: entry("failed_precondition", 400),
  no_free_slot: entry("resource_exhausted", 429),
  backlog_full: entry("resource_exhausted", 429),
  quota: entry("resource_exhausted", 429),
  agent_busy: entry("resource_exhausted", 429),
  outbox_full: entry("resource_exhausted", 429),
  deadline_passed: entry("deadline_exceeded", 504),
  caller_gone: entry("cancelled", 499),
  agent_lost: entry("unavailable", 503),
  agent_draining: entry("unavailable", 503),
  broker_draining: entry("unavailable", 503),
  site_disconnected: entry("unavailable", 503),
  bus_down: entry("unavailable", 503),
  store_full: entry("unavailable", 503),
  connection_lost: entry("unavailable", 503),
  proxy_failed: entry("unavailable", 502),
  engine_unavailable: entry("unavailable", 503),
  image_pull_failed: entry("unavailable", 503),
  disk_full: entry("unavailable", 503),
  instance_start_failed: entry("unavailable", 503),
  contract_unimplemented: entry("unimplemented", 501),
  body_lost: entry("internal", 500),
  unexpected: entry("internal", 500),
} as const satisfies Record<string, ReasonEntry>;

/** One of the listed {@link reasons}: exactly which case an error is. */
export type Reason = keyof typeof reasons;

/** Tells whether a text from outside is a reason this build knows. */
export function isReason(value: string): value is Reason {
  return Object.hasOwn(reasons, value);
}
