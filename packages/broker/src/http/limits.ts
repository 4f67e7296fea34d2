/** What the HTTP side takes, at most. */
export interface HttpLimits {
  /** A request body of an invocation. */
  readonly bodyBytes: number;
  /** A JSON document of the API. */
  readonly documentBytes: number;
  /** All header fields together; above it a request ends in 431. */
  readonly headerBytes: number;
  readonly headerCount: number;
  /** Until a request's header is whole. */
  readonly headerMs: number;
  /** Without a byte of a body that is being read; then 408. */
  readonly bodyIdleMs: number;
  /** A kept connection without a request. */
  readonly keepAliveMs: number;
}

export const defaultHttpLimits: HttpLimits = {
  bodyBytes: 512 * 2 ** 20,
  documentBytes: 2 ** 20,
  headerBytes: 48 * 1024,
  headerCount: 200,
  headerMs: 20_000,
  bodyIdleMs: 30_000,
  keepAliveMs: 65_000,
};
