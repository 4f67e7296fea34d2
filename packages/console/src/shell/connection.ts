import type { LongshoreError } from "@longshore/sdk";

/** How the page stands with its broker. */
export type Connection =
  | { readonly phase: "connecting" }
  | { readonly phase: "live"; readonly sinceMs: number }
  /** What is shown is as it was then; it is tried again until it is there. */
  | { readonly phase: "lost"; readonly sinceMs: number }
  /** A key is asked for: none was given, or the one that was is not taken (any more). */
  | { readonly phase: "locked"; readonly because: string | undefined }
  /** Nothing here will change that. */
  | { readonly phase: "refused"; readonly because: string };

/** What happens to a connection. */
export type ConnectionEvent = { readonly what: "opened" | "closed" | "unlocked" } | { readonly what: "failed"; readonly error: Pick<LongshoreError, "code" | "reason" | "message"> };

/** What comes of a connection by what happens to it. */
export function nextConnection(before: Connection, event: ConnectionEvent, nowMs: number): Connection {
  switch (event.what) {
    case "opened": return before.phase === "live" ? before : { phase: "live", sinceMs: nowMs };
    case "unlocked": return { phase: "connecting" };
    case "closed": return before.phase === "live" ? { phase: "lost", sinceMs: nowMs } : before;
    case "failed": return failed(before, event.error, nowMs);
  }
}

function failed(before: Connection, { code, reason, message }: Pick<LongshoreError, "code" | "reason" | "message">, nowMs: number): Connection {
  if (code === "unauthenticated") return { phase: "locked", because: reason === "key_missing" ? undefined : message };
  if (code === "permission_denied") return { phase: "refused", because: message };
  return before.phase === "lost" ? before : { phase: "lost", sinceMs: nowMs };
}
