import { describe, expect, it } from "vitest";
import { configFaults } from "./config-faults.ts";

describe("configFaults()", () => {
  it("finds none in what images usually say", () => {
    const usual = {
      ExposedPorts: { "80": {}, "443/tcp": {}, "53/udp": {}, "9/sctp": {} },
      Volumes: { "/data": {}, "/var/lib/x/": {} },
      Env: ["A=b=c\nd", "EMPTY=", "BARE"],
      WorkingDir: "/srv",
      User: "1001:0",
    };
    expect(configFaults(usual)).toEqual([]);
    expect(configFaults({})).toEqual([]);
    expect(configFaults({ ExposedPorts: null, Volumes: null, Env: null, WorkingDir: "", User: "app:staff", StopSignal: "" })).toEqual([]);
  });

  it.each(["QUIT", "SIGQUIT", "sigquit", "3", "64", "RTMIN", "SIGRTMIN+3", "SIGRTMAX-2", "SIGCLD"])("takes %s for a signal", (StopSignal) => {
    expect(configFaults({ StopSignal })).toEqual([]);
  });

  it.each<[Parameters<typeof configFaults>[0], string]>([
    [{ ExposedPorts: { "99999/tcp": {} } }, 'ExposedPorts has "99999/tcp", no port'],
    [{ ExposedPorts: { "-1/tcp": {} } }, 'ExposedPorts has "-1/tcp", no port'],
    [{ ExposedPorts: { "0/tcp": {} } }, 'ExposedPorts has "0/tcp", no port'],
    [{ ExposedPorts: { "80/quic": {} } }, 'ExposedPorts has "80/quic", no port'],
    [{ ExposedPorts: { "8000-8002/tcp": {} } }, 'ExposedPorts has "8000-8002/tcp", no port'],
    [{ Volumes: { data: {} } }, 'Volumes has "data", no absolute path below the root'],
    [{ Volumes: { "/a/..": {} } }, 'Volumes has "/a/..", no absolute path below the root'],
    [{ Env: ["A=1", "=2"] }, 'Env has "=2", no variable'],
    [{ Env: ["A=b\0c"] }, 'Env has "A=b\\u0000c", no variable'],
    [{ Env: [""] }, 'Env has "", no variable'],
    [{ WorkingDir: "app" }, 'WorkingDir is "app", no absolute path of at most 4095 bytes'],
    [{ StopSignal: "SIGFOO" }, 'StopSignal is "SIGFOO", no signal'],
    [{ StopSignal: "-1" }, 'StopSignal is "-1", no signal'],
    [{ StopSignal: "999" }, 'StopSignal is "999", no signal'],
    [{ StopSignal: "constructor" }, 'StopSignal is "constructor", no signal'],
    [{ User: "-5" }, 'User is "-5", no user and group'],
    [{ User: "app:99999999999" }, 'User is "app:99999999999", no user and group'],
    [{ User: "a:b:c" }, 'User is "a:b:c", no user and group'],
  ])("names field and value: %j", (config, fault) => {
    expect(configFaults(config)).toEqual([fault]);
  });

  it("shows of a long value its beginning", () => {
    expect(configFaults({ WorkingDir: `/${"a".repeat(5000)}` })[0]).toHaveLength(116);
  });
});
