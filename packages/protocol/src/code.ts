/** The closed set of error codes (gRPC's names): each answers "what may a program do next". */
export const codes = [
  "invalid_argument",
  "unauthenticated",
  "permission_denied",
  "not_found",
  "already_exists",
  "failed_precondition",
  "resource_exhausted",
  "deadline_exceeded",
  "cancelled",
  "unavailable",
  "unimplemented",
  "internal",
] as const;

/** One of {@link codes}. */
export type Code = (typeof codes)[number];
