import { describe, expect, it } from "vitest";
import { isLoopbackHost, resolveBrokerConfig, splitAddress } from "./config.ts";

describe("resolveBrokerConfig()", () => {
  it("listens on loopback without a word", () => {
    expect(resolveBrokerConfig({})).toMatchObject({ listen: "127.0.0.1:4270", tls: "off" });
  });

  it.each(["0.0.0.0:4270", "[::]:4270", "192.168.1.5:80", "broker.plant:443"])("refuses to listen on %s without TLS or an explicit word", (listen) => {
    expect(() => resolveBrokerConfig({ flags: { listen } })).toThrow(expect.objectContaining({ field: "listen" }));
    expect(resolveBrokerConfig({ flags: { listen, insecure: true } }).listen).toBe(listen);
    expect(resolveBrokerConfig({ flags: { listen, tls: "own" } }).listen).toBe(listen);
  });

  it("reads lists and switches from the environment", () => {
    const config = resolveBrokerConfig({ environment: { LONGSHORE_BROKER_ALLOWED_ORIGINS: "https://a.example, https://b.example", LONGSHORE_BROKER_INSECURE: "true", LONGSHORE_BROKER_MAX_BODY_BYTES: "1MiB" } });
    expect(config).toMatchObject({ allowedOrigins: ["https://a.example", "https://b.example"], insecure: true, maxBodyBytes: 2 ** 20 });
  });


  it("reads where a cluster is monitored", () => {
    const { busMonitoring, busDurability } = resolveBrokerConfig({ flags: { busCredentials: "/c", busMonitoring: "http://n1:8222,https://n2:8222/nats" } });
    expect([busMonitoring, busDurability]).toEqual([["http://n1:8222", "https://n2:8222/nats"], "synced"]);
  });

  it("reads where webhooks may go within the operator's own network", () => {
    expect(resolveBrokerConfig({}).webhookAllow).toEqual([]);
    expect(resolveBrokerConfig({ environment: { LONGSHORE_BROKER_WEBHOOK_ALLOW: "hooks.plant, 10.1.0.0/16,fd00::1" } }).webhookAllow).toEqual(["hooks.plant", "10.1.0.0/16", "fd00::1"]);
    expect(() => resolveBrokerConfig({ file: { webhookAllow: ["hooks.plant", "10.1.0.0/33"] } })).toThrow(expect.objectContaining({ reason: "bad_schema", field: "webhookAllow[1]" }));

  });

  it.each([
    [{ listen: "4270" }, "listen"],
    [{ listen: "a b:1" }, "listen"],
    [{ tls: "files" }, "tls"],
    [{ colour: "red" }, "colour"],
    [{ busDurability: "no" }, "busDurability"],
    [{ busCredentials: "/c", busMonitoring: "http://n1:8222/?x" }, "busMonitoring[0]"],
    [{ busCredentials: "/c", busMonitoring: "http://user:word@n1:8222" }, "busMonitoring[0]"],
    [{ busMonitoring: "http://n1:8222" }, "busMonitoring"],
  ])("refuses %j", (flags, field) => {
    expect(() => resolveBrokerConfig({ flags })).toThrow(expect.objectContaining({ reason: "bad_schema", field }));
  });
});

describe("an address", () => {
  it("is taken apart, brackets and all", () => {
    expect(splitAddress("[::1]:80")).toEqual({ host: "::1", port: 80 });
    expect([isLoopbackHost("::1"), isLoopbackHost("127.0.0.9"), isLoopbackHost("localhost"), isLoopbackHost("0.0.0.0")]).toEqual([true, true, true, false]);
  });
});
