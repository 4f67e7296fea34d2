import { describe, expect, it } from "vitest";
import { containerOptions } from "./container-options.ts";
import type { ContainerSpec } from "./engine.ts";

const owner = { agentId: "plant-1", networkName: "longshore-plant-1-internal" };
const spec: ContainerSpec = {
  name: "i1",
  image: "sha256:abc",
  entrypoint: ["/.longshore/hold", "become", "/app"],
  command: [],
  env: ["A=1"],
  labels: { "longshore.instance": "i1", "longshore.agent": "somebody-else" },
  memoryBytes: 268_435_456,
  cpuMillis: 1500,
  pidsLimit: 1024,
  scratchBytes: 67_108_864,
  profile: "standard",
  volumes: ["/data"],
  network: "none",
  mounts: [{ hostPath: "/opt/hold", containerPath: "/.longshore/hold" }],
  stdin: true,
};

describe("containerOptions()", () => {
  it("is exactly this for profile standard", () => {
    expect(containerOptions(spec, owner)).toEqual({
      name: "i1",
      Image: "sha256:abc",
      Entrypoint: ["/.longshore/hold", "become", "/app"],
      Env: ["A=1"],
      Labels: { "longshore.instance": "i1", "longshore.agent": "plant-1", "longshore.fleet": "true" },
      Tty: false,
      OpenStdin: true,
      StdinOnce: true,
      Healthcheck: { Test: ["NONE"] },
      HostConfig: {
        Memory: 268_435_456,
        MemorySwap: 268_435_456,
        CpuPeriod: 100_000,
        CpuQuota: 150_000,
        PidsLimit: 1024,
        Ulimits: [{ Name: "nofile", Soft: 16_384, Hard: 16_384 }],
        Privileged: false,
        SecurityOpt: ["no-new-privileges:true"],
        IpcMode: "private",
        Mounts: [{ Type: "bind", Source: "/opt/hold", Target: "/.longshore/hold", ReadOnly: true }],
        CapDrop: ["NET_RAW", "MKNOD"],
        NetworkMode: "longshore-plant-1-internal",
        AutoRemove: false,
        RestartPolicy: { Name: "no" },
        LogConfig: { Type: "none", Config: {} },
        Init: false,
      },
    });
  });

  it("takes everything away for profile strict, but a sized /tmp", () => {
    expect(containerOptions({ ...spec, profile: "strict" }, owner).HostConfig).toMatchObject({
      CapDrop: ["ALL"],
      ReadonlyRootfs: true,
      Tmpfs: { "/tmp": "rw,noexec,nosuid,nodev,mode=1777,size=67108864", "/data": "rw,noexec,nosuid,nodev,mode=1777,size=67108864" },
    });
  });

  it("mounts nothing twice for profile strict, however a volume is written", () => {
    const { HostConfig } = containerOptions({ ...spec, profile: "strict", volumes: ["/tmp/", "/a//b", "/a/b/", "/a/./b"] }, owner);
    expect(Object.keys((HostConfig as { Tmpfs?: object }).Tmpfs ?? {})).toEqual(["/tmp", "/a/b"]);
  });

  it("names the runtime where one is asked for", () => {
    expect(containerOptions({ ...spec, runtime: "runsc" }, owner).HostConfig).toMatchObject({ Runtime: "runsc" });
  });

  it("leaves entrypoint and command to the image where none is given", () => {
    const options = containerOptions({ ...spec, entrypoint: [], stdin: false }, owner);
    expect(options).not.toHaveProperty("Entrypoint");
    expect(options).not.toHaveProperty("Cmd");
    expect(options).toMatchObject({ OpenStdin: false, StdinOnce: false });
    expect(containerOptions({ ...spec, entrypoint: [], command: ["serve"] }, owner)).toMatchObject({ Cmd: ["serve"] });
  });

  it("lets nothing through that a spec happens to carry besides", () => {
    const smuggled = { ...spec, HostConfig: { Privileged: true }, privileged: true } as ContainerSpec;
    expect(containerOptions(smuggled, owner)).toEqual(containerOptions(spec, owner));
  });
});
