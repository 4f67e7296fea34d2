import { describe, expect, it } from "vitest";
import { type Connection, type ConnectionEvent, nextConnection } from "./connection.ts";

const after = (events: readonly ConnectionEvent[], from: Connection = { phase: "connecting" }) => events.reduce((state, event, at) => nextConnection(state, event, at), from);
const error = (code: string, reason: string) => ({ what: "failed", error: { code, reason, message: "because" } }) as ConnectionEvent;

describe("a connection", () => {
  it("is live once it opened, lost since it closed, and healed when it opens again", () => {
    expect(after([{ what: "opened" }])).toEqual({ phase: "live", sinceMs: 0 });
    expect(after([{ what: "opened" }, { what: "closed" }, error("unavailable", "connection_lost")])).toEqual({ phase: "lost", sinceMs: 1 });
    expect(after([{ what: "opened" }, { what: "closed" }, { what: "opened" }])).toEqual({ phase: "live", sinceMs: 2 });
  });

  it("that never was is lost when it fails, not when its socket closes", () => {
    expect(after([{ what: "closed" }])).toEqual({ phase: "connecting" });
    expect(after([error("unavailable", "connection_lost")])).toEqual({ phase: "lost", sinceMs: 0 });
  });

  it("asks for a key where one is missing, and says why where one was refused", () => {
    expect(after([error("unauthenticated", "key_missing")])).toEqual({ phase: "locked", because: undefined });
    expect(after([{ what: "opened" }, error("unauthenticated", "token_invalid")])).toEqual({ phase: "locked", because: "because" });
    expect(after([error("unauthenticated", "token_invalid"), { what: "unlocked" }])).toEqual({ phase: "connecting" });
    expect(after([error("permission_denied", "not_allowed")])).toEqual({ phase: "refused", because: "because" });
  });
});
