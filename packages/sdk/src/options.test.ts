import { afterEach, describe, expect, it, vi } from "vitest";
import { type FleetOptions, resolveOptions } from "./options.ts";
import { FakeBroker } from "./testing/fake-broker.ts";

afterEach(() => vi.unstubAllEnvs());

describe("resolveOptions()", () => {
  it("fills in every default", () => {
    vi.stubEnv("LONGSHORE_URL", "");
    vi.stubEnv("LONGSHORE_KEY", "");
    expect(resolveOptions({})).toMatchObject({ url: "http://127.0.0.1:4270", socketUrl: "ws://127.0.0.1:4270/v1/socket", key: undefined, WebSocket: globalThis.WebSocket, connectTimeoutMs: 10_000, idleMs: 5_000 });
  });

  it("reads address and key from the environment, unless they are given", () => {
    vi.stubEnv("LONGSHORE_URL", "https://a.test");
    vi.stubEnv("LONGSHORE_KEY", "lsk_a");
    expect(resolveOptions({})).toMatchObject({ url: "https://a.test", socketUrl: "wss://a.test/v1/socket", key: "lsk_a" });
    expect(resolveOptions({ url: "http://b.test:1/", key: "lsk_b" })).toMatchObject({ url: "http://b.test:1", key: "lsk_b" });
  });

  it("keeps the path of an address behind a proxy", () => {
    expect(resolveOptions({ url: "https://a.test/longshore/?x#y" })).toMatchObject({ url: "https://a.test/longshore", socketUrl: "wss://a.test/longshore/v1/socket" });
  });

  it("takes no environment for granted: a browser has none", () => {
    vi.stubGlobal("process", undefined);
    try {
      expect(resolveOptions({}).url).toBe("http://127.0.0.1:4270");
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it("chooses the transport", () => {
    const { WebSocket } = new FakeBroker();
    expect(resolveOptions({ WebSocket }).WebSocket).toBe(WebSocket);
    expect(resolveOptions({ WebSocket, transport: "http" }).WebSocket).toBeUndefined();
    vi.stubGlobal("WebSocket", undefined);
    try {
      expect(resolveOptions({}).WebSocket).toBeUndefined();
      expect(() => resolveOptions({ transport: "websocket" })).toThrow(expect.objectContaining({ field: "transport" }));
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it.each<[field: keyof FleetOptions, options: FleetOptions]>([
    ["url", { url: "127.0.0.1:4270" }],
    ["url", { url: "ws://a.test" }],
    ["url", { url: "http://user:word@a.test" }],
    ["transport", { transport: "ws" as never }],
    ["connectTimeoutMs", { connectTimeoutMs: Number.NaN }],
    ["connectTimeoutMs", { connectTimeoutMs: -1 }],
    ["idleMs", { idleMs: Infinity }],
  ])("refuses what cannot be used, naming %s", (field, options) => {
    expect(() => resolveOptions(options)).toThrow(expect.objectContaining({ reason: "bad_schema", field }));
  });
});
