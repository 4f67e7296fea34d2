import { randomBytes } from "node:crypto";
import { readlinkSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ContainerSpec } from "../../packages/agent/src/engine/engine.ts";
import { type AgentEngine, createAgentEngine, docker } from "../support/agent-engine.ts";
import { ensureImage } from "../support/images/ensure-image.ts";

const mebibyte = 2 ** 20;
const config = { volumes: ["/data"], stopSignal: "SIGQUIT", healthcheck: ["/bin/true"] };

/** What a process can find out about its cage, one `name=value` a line. */
const probe = `
say() { name=$1; shift; echo "$name=$*"; }
try() { what=$1; shift; "$@" >/dev/null 2>&1 && say "$what" done || say "$what" refused; }
say noNewPrivileges $(grep NoNewPrivs /proc/self/status | cut -f2)
say seccomp $(grep Seccomp: /proc/self/status | cut -f2)
say capabilities $(grep CapBnd /proc/self/status | cut -f2)
say ipc $(readlink /proc/self/ns/ipc)
say openFiles $(ulimit -Sn)/$(ulimit -Hn)
say cpu $(cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us 2>/dev/null || cat /sys/fs/cgroup/cpu.max)
say memoryAndSwap $(cat /sys/fs/cgroup/memory/memory.memsw.limit_in_bytes 2>/dev/null)
say swap $(cat /sys/fs/cgroup/memory.swap.max 2>/dev/null)
say rawSocket $(arping -q -f -w 1 -c 1 -I eth0 0.0.0.1 2>&1 | grep -c 'not permitted')
say tmp $(grep ' /tmp ' /proc/mounts)
try makeDevice mknod /tmp/null c 1 3
try writeRoot touch /written
try copyToTmp cp /bin/busybox /tmp/busybox
try runFromTmp /tmp/busybox true
`;

type Facts = Readonly<Record<string, string>>;
const readFacts = (text: string): Facts => Object.fromEntries(text.trim().split(/\r?\n/).map((line) => line.split(/=(.*)/).slice(0, 2) as [string, string]));
const bits = (hex: string | undefined) => BigInt(`0x${hex ?? ""}`);
const [netRaw, sysModule, mknod] = [1n << 13n, 1n << 16n, 1n << 27n];

/** guarantees.md, "Container baseline": each item beside a container as the engine makes it when nobody asks for anything. */
describe("an instance", () => {
  let agent: AgentEngine;
  let image: string;
  let standard: Facts;
  let strict: Facts;
  let plain: Facts;

  beforeAll(async () => {
    agent = await createAgentEngine({}, config);
    image = await ensureImage("busybox", { config });
    standard = readFacts((await agent.run(probe, { cpuMillis: 250 })).stdout);
    strict = readFacts((await agent.run(probe, { profile: "strict", scratchBytes: 8 * mebibyte, cpuMillis: 64_000 })).stdout);
    plain = readFacts(await runPlain(probe));
  });
  afterAll(() => agent.close());

  const runPlain = async (script: string, hostConfig: object = {}): Promise<string> => {
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

  it("gains no privileges through setuid programs", () => {
    expect([standard["noNewPrivileges"], strict["noNewPrivileges"], plain["noNewPrivileges"]]).toEqual(["1", "1", "0"]);
  });

  it("cannot open raw sockets", () => {
    expect([standard["rawSocket"], strict["rawSocket"], plain["rawSocket"]]).toEqual(["1", "1", "0"]);
  });

  it("cannot make device nodes", () => {
    expect([standard["makeDevice"], strict["makeDevice"], plain["makeDevice"]]).toEqual(["refused", "refused", "done"]);
  });

  it("has the engine's capabilities without those for raw sockets, devices and modules; none at all when strict", () => {
    const [ours, theirs] = [bits(standard["capabilities"]), bits(plain["capabilities"])];
    expect(ours & (netRaw | sysModule | mknod)).toBe(0n);
    expect(ours).toBe(theirs & ~(netRaw | mknod));
    expect(bits(strict["capabilities"])).toBe(0n);
  });

  it("is filtered by seccomp, and has its own inter-process communication", async () => {
    expect([standard["seccomp"], strict["seccomp"]]).toEqual(["2", "2"]);
    const hostIpc = readlinkSync("/proc/self/ns/ipc");
    expect([standard["ipc"], strict["ipc"]]).not.toContain(hostIpc);
    const open = readFacts(await runPlain(probe, { SecurityOpt: ["seccomp=unconfined"], IpcMode: "host" }));
    expect([open["seccomp"], open["ipc"]]).toEqual(["0", hostIpc]);
  });

  it("stays within its processor time, which may exceed what the host has", () => {
    const share = (facts: Facts) => (facts["cpu"] ?? "").split(" ").map(Number).reduce((quota, period) => quota / period);
    expect([share(standard), share(strict)]).toEqual([0.25, 64]);
  });

  it("stays within its open files", () => {
    expect([standard["openFiles"], strict["openFiles"]]).toEqual(["16384/16384", "16384/16384"]);
  });

  it("stays within its processes", async () => {
    const begin = "i=0; while [ $i -lt 60 ]; do sleep 60 & i=$((i+1)); done";
    const count = "ps | grep -c '[s]leep 60$'";
    // What was forked a moment ago may not be sleep yet.
    const script = `${begin}; n=0; until [ $(${count}) -ge 60 ] || [ $n -ge 200 ]; do n=$((n+1)); done; ${count}`;
    const bounded = await agent.run(`(${begin}) 2>/dev/null; ${count}`, { pidsLimit: 20 });
    expect(Number(bounded.stdout.trim().split("\n").at(-1))).toBeLessThan(20);
    expect(await runPlain(script)).toBe("60");
  });

  it("stays within its memory, without swap", async () => {
    const state = await agent.run("x=$(head -c 200000000 /dev/zero | tr '\\0' x); echo survived", { memoryBytes: 32 * mebibyte });
    expect(state).toMatchObject({ stdout: "", exitCode: 137, oomKilled: true });
    // Control groups of version 1 count memory and swap together, those of version 2 swap alone.
    expect([standard["memoryAndSwap"], standard["swap"]]).toEqual(standard["swap"] === "" ? [String(64 * mebibyte), ""] : ["", "0"]);
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
    const { id } = await agent.start(agent.shell("sleep 600"));
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

  it("cannot write what is mounted, and is refused when that is not there", async () => {
    const script = "echo x 2>/dev/null > /mounted/file && echo written || echo refused; cat /mounted/hostname";
    const mounted = await agent.run(script, { mounts: [{ hostPath: "/etc", containerPath: "/mounted" }] });
    expect(mounted.stdout).toMatch(/^refused\n./);
    const absent = agent.shell("true", { mounts: [{ hostPath: `/nowhere-${randomBytes(4).toString("hex")}`, containerPath: "/mounted" }] });
    await expect(agent.engine.createContainer(absent)).rejects.toMatchObject({ failure: "bad_request" });
  });

  it("may have an environment far larger than a URL", async () => {
    const { stdout } = await agent.run('echo "${#BIG}"', { env: [`BIG=${"x".repeat(100_000)}`] });
    expect(stdout).toBe("100000\n");
  });

  it("of profile standard writes anywhere its user may, and runs what it wrote in /tmp", () => {
    expect(standard).toMatchObject({ writeRoot: "done", copyToTmp: "done", runFromTmp: "done" });
  });

  it("of profile strict writes nowhere but in /tmp, and runs nothing from there", () => {
    expect(strict).toMatchObject({ writeRoot: "refused", copyToTmp: "done", runFromTmp: "refused" });
    expect(strict["tmp"]).toMatch(/^tmpfs \/tmp tmpfs rw,nosuid,nodev,noexec,relatime,size=8192k/);
    expect([standard["tmp"], plain["tmp"]]).toEqual(["", ""]);
  });

  it("of profile strict has sized memory where its image wants a volume, by whatever spelling", async () => {
    const id = await agent.engine.createContainer(agent.shell("sleep 600", { profile: "strict", volumes: ["/data//", "/data"] }));
    expect((await docker.getContainer(id).inspect()).HostConfig.Tmpfs).toMatchObject({ "/data": expect.stringContaining("size=1048576") as string });
    const { stdout } = await agent.run("grep ' /data ' /proc/mounts; head -c 2000000 /dev/zero 2>/dev/null > /data/a || echo full", { profile: "strict", volumes: ["/data"] });
    expect(stdout).toMatch(/^tmpfs \/data tmpfs rw,nosuid,nodev,noexec,relatime,size=1024k.*\nfull\n$/);
  });

  it("is made with the runtime that is asked for, or not at all", async () => {
    expect((await agent.run("echo inside", { runtime: "runc" })).stdout).toBe("inside\n");
    await expect(agent.engine.createContainer(agent.shell("true", { runtime: "kata-none" })).then((id) => agent.engine.startContainer(id))).rejects.toMatchObject({ name: "EngineError" });
  });

  it("of profile strict has as much room in /tmp as its scratch, and no more", async () => {
    const script = "head -c 900000 /dev/zero > /tmp/a && echo fits; head -c 900000 /dev/zero 2>/dev/null > /tmp/b && echo fits || echo full";
    const { stdout } = await agent.run(script, { profile: "strict", scratchBytes: mebibyte });
    expect(stdout).toBe("fits\nfull\n");
  });
});
