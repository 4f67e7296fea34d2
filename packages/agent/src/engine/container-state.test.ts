import { describe, expect, it } from "vitest";
import { containerAddress, containerState, type InspectedContainer, ownedContainer } from "./container-state.ts";

const running: InspectedContainer = {
  Id: "c1",
  State: { Running: true, Pid: 42, ExitCode: 0, OOMKilled: false, Error: "", StartedAt: "2026-01-01T00:00:00Z" },
  NetworkSettings: { Networks: { n1: { IPAddress: "172.18.0.2", Gateway: "172.18.0.1" } } },
};
const withState = (state: Partial<InspectedContainer["State"]>): InspectedContainer => ({ ...running, State: { ...running.State, ...state } });
const noGateway = () => Promise.reject(new Error("must not be asked"));

describe("containerState()", () => {
  it("has an exit code once it has run and ended, and only then", () => {
    expect(containerState(running)).toEqual({ running: true, exitCode: undefined, oomKilled: false, error: undefined, ip: "172.18.0.2" });
    expect(containerState(withState({ Running: false, ExitCode: 137, OOMKilled: true }))).toMatchObject({ running: false, exitCode: 137, oomKilled: true });
    expect(containerState(withState({ Running: false, StartedAt: "0001-01-01T00:00:00Z", ExitCode: 127, Error: "no such file" }))).toMatchObject({ exitCode: undefined, error: "no such file" });
  });
});

describe("containerAddress()", () => {
  it("reads the endpoint", async () => {
    expect(await containerAddress(running, noGateway)).toEqual({ ip: "172.18.0.2", gateway: "172.18.0.1", pid: 42 });
  });

  it("asks for the gateway where the engine names none", async () => {
    const internal = { ...running, NetworkSettings: { Networks: { n1: { IPAddress: "172.18.0.2", Gateway: "" } } } };
    expect(await containerAddress(internal, async (name) => `gateway of ${name}`)).toMatchObject({ gateway: "gateway of n1" });
  });

  it("is empty for a container that has ended already", async () => {
    const ended = { ...withState({ Running: false, Pid: 0 }), NetworkSettings: { Networks: { n1: { IPAddress: "", Gateway: "" } } } };
    expect(await containerAddress(ended, noGateway)).toEqual({ ip: "", gateway: "", pid: 0 });
  });
});

describe("ownedContainer()", () => {
  it("counts a paused container as running, and gives an address to what runs only", () => {
    const states = ["running", "paused", "exited", "created", "dead", "removing"];
    expect(states.map((State) => ownedContainer({ Id: "c1", Names: ["/a"], State }).running)).toEqual([true, true, false, false, false, false]);
    const { NetworkSettings } = running;
    expect(["running", "exited"].map((State) => ownedContainer({ Id: "c1", State, NetworkSettings: NetworkSettings ?? null }).ip)).toEqual(["172.18.0.2", undefined]);
    expect(ownedContainer({ Id: "c1", Names: ["/a"], State: "running" })).toMatchObject({ name: "a", labels: {}, ip: undefined });
  });
});
