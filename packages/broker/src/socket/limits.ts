import { maxExchanges } from "@longshore/protocol";

/** What one broker's sockets may take; each is a bound on memory or time that a caller can claim. */
export interface SocketLimits {
  /** Sockets at once; one more is refused with 503. */
  readonly sockets: number;
  readonly exchangesPerSocket: number;
  /** A socket that has not said who it is by then is closed. */
  readonly helloMs: number;
  /** A submission's body is whole by then, or it is not accepted. */
  readonly submissionMs: number;
  /** How often a quiet socket is pinged; one that stays silent for two periods, or takes nothing of what waits for it, is closed. */
  readonly keepAliveMs: number;
  /** With more than that waiting in a socket's send buffer, bodies wait at their source. */
  readonly congestedBytes: number;
  /** With more than that, nothing further is read from the socket either. */
  readonly stopReadingBytes: number;
  /** A watcher that is more events behind than that is told so and let go. */
  readonly watchBacklog: number;
}

export const defaultSocketLimits: SocketLimits = {
  sockets: 10_000,
  exchangesPerSocket: maxExchanges,
  helloMs: 5_000,
  submissionMs: 30_000,
  keepAliveMs: 30_000,
  congestedBytes: 256 * 1024,
  stopReadingBytes: 4 * 1024 * 1024,
  watchBacklog: 10_000,
};
