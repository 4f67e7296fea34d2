import { randomBytes } from "node:crypto";
import { readlinkSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ContainerSpec } from "../../packages/agent/src/engine/engine.ts";
import { type AgentEngine, createAgentEngine, docker } from "../support/agent-engine.ts";
import { ensureImage } from "../support/images/ensure-image.ts";

const mebibyte = 2 ** 20;

/** guarantees.md, "Container baseline": each item beside a container as the engine makes it when nobody asks for anything. */
describe("an instance", () => {
  let agent: AgentEngine;
  let image: string;

  beforeAll(async () => {
    const config = { volumes: ["/data"], stopSignal: "SIGQUIT", healthcheck: ["/bin/true"] };
    agent = await createAgentEngine({}, config);
    image = await ensureImage("busybox", { config });
  });
  afterAll(() => agent.close());

  const instance = async (script: string, changes?: Partial<ContainerSpec>) => (await agent.run(script, changes)).stdout.trim();
  /** The same script in a container with the engine's defaults, but for `hostConfig`. */
  const plain = async (script: string, hostConfig: object = {}): Promise<string> => {
    const container = await docker.createContainer({ Image: image, Cmd: ["/bin/sh", "-c", script], Tty: true, HostConfig: hostConfig });
    try {
      const stream = await container.attach({ stream: true, stdout: true, stderr: true });
      await container.start();
      let text = "";
      for await (const chunk of stream) text += String(chunk);
      return text.trim();
    } finally {
      await container.remove({ force: true, v: true });
    }
  };
  const inspectAfterCreate = async (changes?: Partial<ContainerSpec>) => {
    const id = await agent.engine.createContainer(agent.shell("sleep 600", changes));
    return docker.getContainer(id).inspect();
  };
  const capabilities = (hex: string) => BigInt(`0x${hex}`);
  const netRaw = 1n << 13n;
  const sysModule = 1n << 16n;
  const mknod = 1n << 27n;
  const boundingSet = "grep CapBnd /proc/self/status | cut -f2";

  it("gains no privileges through setuid programs", async () => {
    const script = "grep NoNewPrivs /proc/self/status | cut -f2";
    expect([await instance(script), await plain(script)]).toEqual(["1", "0"]);
  });

  it("cannot open raw sockets", async () => {
    const script = "arping -q -f -w 1 -c 1 -I eth0 0.0.0.1 2>&1 | grep -c 'not permitted'";
    expect([await instance(script), await plain(script)]).toEqual(["1", "0"]);
  });

  it("cannot make device nodes", async () => {
    const script = "mknod /tmp/null c 1 3 2>/dev/null && echo made || echo refused";
    expect([await instance(script), await plain(script)]).toEqual(["refused", "made"]);
  });

  it("has the engine's capabilities without those for raw sockets, devices and modules", async () => {
    const [ours, theirs] = [capabilities(await instance(boundingSet)), capabilities(await plain(boundingSet))];
    expect(ours & (netRaw | sysModule | mknod)).toBe(0n);
    expect(ours).toBe(theirs & ~(netRaw | mknod));
  });

  it("stays within its processes", async () => {
    const script = "i=0; while [ $i -lt 60 ]; do sleep 60 & i=$((i+1)); done; ps | grep -c '[s]leep 60$'";
    const bounded = await agent.run(`(${script}) 2>/dev/null; ps | grep -c '[s]leep 60$'`, { pidsLimit: 20 });
    expect(Number(bounded.stdout.trim().split("\n").at(-1))).toBeLessThan(20);
    expect(await plain(script)).toBe("60");
  });

  it("stays within its memory, without swap", async () => {
    const state = await agent.run("x=$(head -c 200000000 /dev/zero | tr '\\0' x); echo survived", { memoryBytes: 32 * mebibyte });
    expect(state).toMatchObject({ stdout: "", exitCode: 137, oomKilled: true });
    const swap = await instance("cat /sys/fs/cgroup/memory/memory.memsw.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.swap.max", { memoryBytes: 32 * mebibyte });
    expect(["0", String(32 * mebibyte)]).toContain(swap);
  });

  it("stays within its processor time, which may exceed what the host has", async () => {
    const quota = "cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us 2>/dev/null || cat /sys/fs/cgroup/cpu.max";
    const shareOf = (text: string) => text.split(/\s+/).map(Number).reduce((share, period) => share / period);
    expect(shareOf(await instance(quota, { cpuMillis: 250 }))).toBe(0.25);
    expect(shareOf(await instance(quota, { cpuMillis: 64_000 }))).toBe(64);
  });

  it("stays within its open files", async () => {
    expect(await instance("ulimit -Sn; ulimit -Hn")).toBe("16384\n16384");
  });

  it("has its own inter-process communication", async () => {
    const script = "readlink /proc/self/ns/ipc";
    expect(await instance(script)).not.toBe(readlinkSync("/proc/self/ns/ipc"));
    expect(await plain(script, { IpcMode: "host" })).toBe(readlinkSync("/proc/self/ns/ipc"));
  });

  it("is filtered by seccomp", async () => {
    const script = "grep Seccomp: /proc/self/status | cut -f2";
    expect([await instance(script), await plain(script, { SecurityOpt: ["seccomp=unconfined"] })]).toEqual(["2", "0"]);
  });

  it("has no health check of the image's", async () => {
    expect((await inspectAfterCreate()).Config.Healthcheck?.Test).toEqual(["NONE"]);
    expect((await docker.getImage(image).inspect()).Config.Healthcheck?.Test).toEqual(["CMD", "/bin/true"]);
  });

  it("keeps the image's stop signal", async () => {
    expect((await inspectAfterCreate()).Config).toMatchObject({ StopSignal: "SIGQUIT" });
    expect(await agent.engine.inspectImage(image)).toMatchObject({ stopSignal: "SIGQUIT" });
  });

  it("leaves no anonymous volume", async () => {
    const { id, output } = await agent.start(agent.shell("trap 'exit 0' TERM; echo ready; sleep 600 & wait"));
    await output.said("ready");
    const { Mounts } = await docker.getContainer(id).inspect();
    const volume = Mounts.find(({ Destination }) => Destination === "/data")?.Name ?? "";
    expect(await docker.getVolume(volume).inspect()).toMatchObject({ Name: volume });
    await agent.engine.removeContainer(id);
    await expect(docker.getVolume(volume).inspect()).rejects.toMatchObject({ statusCode: 404 });
  });

  it("has no log at the engine, no removal by the engine, no restart", async () => {
    const { HostConfig, LogPath } = await inspectAfterCreate();
    expect(LogPath).toBe("");
    expect(HostConfig).toMatchObject({ LogConfig: { Type: "none" }, AutoRemove: false, RestartPolicy: { Name: "no" }, Init: false, Privileged: false });
  });

  it("cannot write what is mounted", async () => {
    const script = "echo x 2>/dev/null > /mounted/file && echo written || echo refused; cat /mounted/hostname";
    const mounted = await agent.run(script, { mounts: [{ hostPath: "/etc", containerPath: "/mounted" }] });
    expect(mounted.stdout).toMatch(/^refused\n./);
  });

  it("is refused when what it mounts is not there", async () => {
    const spec = agent.shell("true", { mounts: [{ hostPath: `/nowhere-${randomBytes(4).toString("hex")}`, containerPath: "/mounted" }] });
    await expect(agent.engine.createContainer(spec)).rejects.toMatchObject({ failure: "bad_request" });
  });

  it("may have an environment far larger than a URL", async () => {
    expect(await instance('echo "${#BIG}"', { env: [`BIG=${"x".repeat(100_000)}`] })).toBe("100000");
  });

  describe("of profile standard", () => {
    it("writes anywhere its user may and runs what it wrote in /tmp", async () => {
      expect(await instance("touch /written && cp /bin/busybox /tmp/busybox && /tmp/busybox echo ran")).toBe("ran");
    });
  });

  describe("of profile strict", () => {
    const strict = { profile: "strict", scratchBytes: mebibyte } as const;

    it("has a read-only root", async () => {
      expect(await instance("touch /written 2>/dev/null && echo written || echo refused", strict)).toBe("refused");
    });

    it("has no capability at all", async () => {
      expect(capabilities(await instance(boundingSet, strict))).toBe(0n);
    });

    it("runs nothing from /tmp", async () => {
      expect(await instance("cp /bin/busybox /tmp/busybox && /tmp/busybox echo ran 2>/dev/null || echo refused", { ...strict, scratchBytes: 8 * mebibyte })).toBe("refused");
    });

    it("has as much room in /tmp as its scratch, and no more", async () => {
      const script = "head -c 900000 /dev/zero > /tmp/a && echo fits; head -c 900000 /dev/zero 2>/dev/null > /tmp/b && echo fits || echo full";
      expect(await instance(script, strict)).toBe("fits\nfull");
    });
  });
});
