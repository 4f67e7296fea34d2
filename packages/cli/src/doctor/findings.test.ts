import { describe, expect, it } from "vitest";
import { judgeEngine } from "./engine-findings.ts";
import { judgeBroker, judgeNatsServer } from "./fleet-findings.ts";
import { judgeHost } from "./host-findings.ts";

const host = {
  platform: "linux", kernelRelease: "6.1.0-18-amd64", architecture: "x64", nodeVersion: "24.1.0", userId: 0, memoryAvailableBytes: 2 ** 32,
  diskFreeBytes: { "/var/lib/longshore": 2 ** 34 }, iptablesFault: undefined,
};
const engine = {
  version: "20.10.24+dfsg1", cgroupVersion: "2", hasMemoryLimit: true, hasSwapLimit: true, hasPidsLimit: true, hasCpuQuota: true, securityOptions: ["name=seccomp,profile=default"],
};
const verified = { state: "verified", detail: "the server of the bus syncs every write" } as const;
const statuses = (findings: readonly { name: string; status: string }[]) => findings.filter(({ status }) => status !== "ok").map(({ name, status }) => `${name} ${status}`);

describe("a sound host", () => {
  it("is told as such", () => {
    expect(statuses([...judgeHost(host), ...judgeEngine(engine), judgeNatsServer("nats-server: v2.15.1"), ...judgeBroker("http://b", { status: 200, clockAheadMs: -900, durability: verified })])).toEqual([]);
  });
});

describe("each fault", () => {
  it.each([
    [{ platform: "darwin" }, "kernel fail"],
    [{ kernelRelease: "3.10.0" }, "kernel warn"],
    [{ architecture: "riscv64" }, "architecture warn"],
    [{ nodeVersion: "22.9.0" }, "node fail"],
    [{ userId: 1000 }, "user fail"],
    [{ iptablesFault: "not found" }, "iptables fail"],
    [{ memoryAvailableBytes: 2 ** 28 }, "memory warn"],
    [{ diskFreeBytes: { "/x": 2 ** 29 } }, "disk warn"],
    [{ diskFreeBytes: { "/x": 2 ** 20 } }, "disk fail"],
  ])("of a host %j is found", (fault, found) => {
    expect(statuses(judgeHost({ ...host, ...fault }))).toEqual([found]);
  });

  it.each([
    [{ version: "19.03.1" }, "engine fail"],
    [{ hasMemoryLimit: false }, "cgroup fail"],
    [{ hasPidsLimit: false }, "cgroup fail"],
    [{ hasSwapLimit: false }, "cgroup warn"],
    [{ securityOptions: [] }, "seccomp fail"],
    [{ securityOptions: ["name=seccomp,profile=default", "name=rootless"] }, "engine mode fail"],
  ])("of an engine %j is found", (fault, found) => {
    expect(statuses(judgeEngine({ ...engine, ...fault }))).toEqual([found]);
  });

  it("of what stands around is found", () => {
    expect(statuses(judgeEngine("nothing listens there"))).toEqual(["engine fail"]);
    expect(judgeNatsServer(undefined).status).toBe("warn");
    expect(judgeNatsServer("nats-server: v2.9.10").status).toBe("fail");
    expect(judgeNatsServer("nats-server: v3.0.0").status).toBe("ok");
    expect(statuses(judgeBroker("http://b", "nothing listens there"))).toEqual(["broker warn"]);
    expect(statuses(judgeBroker("http://b", { status: 503, clockAheadMs: undefined, durability: undefined }))).toEqual(["broker fail"]);
    expect(statuses(judgeBroker("http://b", { status: 200, clockAheadMs: 30_000, durability: undefined }))).toEqual(["clock warn"]);
    expect(statuses(judgeBroker("http://b", { status: 200, clockAheadMs: -600_000, durability: undefined }))).toEqual(["clock fail"]);
  });

  it.each(["assumed", "not_durable"] as const)("of a bus whose durability is %s is found, with the broker's way to mend it", (state) => {
    const [, finding] = judgeBroker("http://b", { status: 200, clockAheadMs: undefined, durability: { state, detail: "d", mend: "set it" } });
    expect(finding).toMatchObject({ name: "durability", status: "warn", mend: "set it" });
  });

  it("comes with a way to mend it", () => {
    const findings = [...judgeHost({ ...host, userId: 1, iptablesFault: "x" }), ...judgeEngine("x"), judgeNatsServer(undefined), ...judgeBroker("http://b", "x"), ...judgeBroker("http://b", { status: 200, clockAheadMs: undefined, durability: { state: "assumed", detail: "d" } })];
    expect(findings.filter(({ status, mend }) => status !== "ok" && mend === undefined)).toEqual([]);
  });
});
