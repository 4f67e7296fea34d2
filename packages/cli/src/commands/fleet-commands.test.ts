import { type InvocationRecord, LongshoreError } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import type { TokenRequest } from "../fleet.ts";
import { agentView, functionView } from "../testing/fake-fleet.ts";
import { runLine } from "../testing/run-line.ts";

const lines = (text: string) => text.trimEnd().split("\n");

describe("longshore ls", () => {
  it("shows a table to people and the views to programs", async () => {
    const fleet = { list: async () => [functionView(), functionView({ name: "hello-http", contract: "http", placement: { sites: ["plant"] as never } })] };
    const { stdout } = await runLine(["ls"], { fleet });
    expect(lines(stdout).map((line) => line.replace(/ +/g, " "))).toEqual([
      "NAME REVISION CONTRACT MEMORY TIMEOUT SITES AGE IMAGE",
      "wordcount 3 stdio 256MiB 30s any 60m debian:12",
      "hello-http 3 http 256MiB 30s plant 60m debian:12",
    ]);
    expect(JSON.parse((await runLine(["ls", "--json"], { fleet })).stdout)).toMatchObject({ functions: [{ name: "wordcount" }, { name: "hello-http" }] });
  });

  it("says on stderr that there is nothing", async () => {
    expect(await runLine(["ls"], { fleet: { list: async () => [] } })).toMatchObject({ stdout: "", stderr: expect.stringContaining("No function is deployed") });
  });
});

describe("longshore agent", () => {
  const agents = (view = agentView()) => ({ list: async ({ site }: { site?: string } = {}) => [view, agentView({ agentId: "cloud-1", siteId: "cloud", state: "lost", detail: "not heard for 15 s" })].filter(({ siteId }) => site === undefined || siteId === site), cordon: async () => view, uncordon: async () => view, drain: async () => view, revoke: async () => undefined });

  it("ls shows live capacity, operator labels, and why one is ill", async () => {
    const { stdout, stderr } = await runLine(["agent", "ls"], { fleet: { agents: agents(agentView({ cordoned: true })) } });
    expect(lines(stdout).map((line) => line.replace(/ +/g, " "))).toEqual([
      "AGENT SITE STATE RUNNING IDLE HELD ROOM MEMORY FREE DISK FREE HEARD LABELS",
      "plant-1 plant cordoned 1 2 1 60/64 4GiB/8GiB - 0s gpu=true",
      "cloud-1 cloud lost 1 2 1 60/64 4GiB/8GiB - 0s gpu=true",
    ]);
    expect(stderr).toBe("cloud-1: not heard for 15 s\n");
  });

  it("ls shows that the disk of one is too full to pull images", async () => {
    const view = agentView();
    const disk = { totalBytes: 2 ** 36, freeBytes: 2 ** 29, imagesBytes: 0, pressure: true };
    const { stdout } = await runLine(["agent", "ls"], { fleet: { agents: agents({ ...view, capacity: { ...view.capacity, disk } }) } });
    expect(lines(stdout)[1]?.replace(/ +/g, " ")).toBe("plant-1 plant disk-full 1 2 1 60/64 4GiB/8GiB 512MiB/64GiB 0s gpu=true");
  });

  it("ls narrows to a site", async () => {
    const { stdout } = await runLine(["agent", "ls", "--site", "cloud", "--json"], { fleet: { agents: agents() } });
    expect((JSON.parse(stdout) as { agents: { agentId: string }[] }).agents.map(({ agentId }) => agentId)).toEqual(["cloud-1"]);
  });

  it("paints states on a terminal only", async () => {
    expect((await runLine(["agent", "ls"], { fleet: { agents: agents() }, isTerminal: true })).stdout).toContain("\u001b[32mready");
    expect((await runLine(["agent", "ls"], { fleet: { agents: agents() }, isTerminal: true, environment: { NO_COLOR: "1" } })).stdout).not.toContain("\u001b");
  });

  it("cordon, uncordon, drain and revoke say what they did", async () => {
    const given: unknown[] = [];
    const fleet = { agents: { ...agents(), drain: async (id: string, options: object) => (given.push([id, options]), agentView()) } };
    expect((await runLine(["agent", "cordon", "plant-1"], { fleet })).stdout).toBe("Cordoned plant-1: it takes no new invocations\n");
    expect((await runLine(["agent", "uncordon", "plant-1"], { fleet })).stdout).toBe("Uncordoned plant-1: it takes invocations\n");
    expect((await runLine(["agent", "drain", "plant-1", "--deadline", "5m"], { fleet })).stdout).toContain("Draining plant-1: 1 running");
    await runLine(["agent", "drain", "plant-1"], { fleet });
    expect((await runLine(["agent", "revoke", "plant-1"], { fleet })).stdout).toBe("Revoked plant-1: it is off the bus\n");
    expect(given).toEqual([["plant-1", { deadlineMs: 300_000 }], ["plant-1", {}]]);
  });
});

describe("longshore site ls", () => {
  it("shows each site", async () => {
    const fleet = { sites: { list: async () => [{ siteId: "plant", regions: ["eu"], agents: 2, ready: 1, running: 3, memoryBytes: 2 ** 33, memoryFreeBytes: 2 ** 32 }] } };
    const { stdout } = await runLine(["site", "ls"], { fleet });
    expect(lines(stdout)[1]?.replace(/ +/g, " ")).toBe("plant 2 1 3 4GiB/8GiB eu");
  });
});

describe("longshore token create", () => {
  it("prints the line to run on the new host, and that alone, on stdout", async () => {
    const asked: TokenRequest[] = [];
    const fleet = { tokens: { create: async (request: TokenRequest) => (asked.push(request), { token: "lsj_abc", siteId: "plant", expiresAt: "2026-11-25T12:15:00.000Z" }) } };
    const { stdout, stderr } = await runLine(["token", "create", "--site", "plant", "--label", "gpu=true", "--agent-id", "press", "--region", "eu"], { fleet });
    expect(stdout).toBe("longshore join lsj_abc\n");
    expect(stderr).toContain("within 15 minutes");
    expect(asked).toEqual([{ site: "plant", labels: { gpu: "true" }, agentId: "press", regions: ["eu"] }]);
  });

  it("needs a site", async () => {
    expect(await runLine(["token", "create"])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("--site is missing") });
  });
});

describe("longshore invocation", () => {
  const id = "0197a7c6-5f3e-7b12-9c58-0d8a4be3f001";
  const record: InvocationRecord = {
    invocationId: id, functionName: "wordcount", revisionId: "wordcount-r3", siteId: "plant", agentId: "plant-1", attempt: 1, start: "held", result: { outcome: "failed", exitCode: 2 },
    acceptedAt: "2026-11-25T11:59:00.000Z", finishedAt: "2026-11-25T11:59:01.000Z", timings: { startMs: 3.9, totalMs: 12 }, payloadBytes: 18, resultBytes: 2, resultKept: true,
  };
  const handle = { invocationId: id, status: async () => ({ state: "finished" as const, record }), ended: async () => record, cancel: async () => undefined, result: async () => new Blob([Uint8Array.of(0, 255)]).stream(), async *logs() {} };
  const fleet = { invocation: () => handle };

  it("show tells what became of it, with its exit code", async () => {
    const { stdout, exitCode } = await runLine(["invocation", "show", id], { fleet });
    expect(exitCode).toBe(1);
    expect(stdout).toContain("took      start 3.9ms, total 12ms\n");
    expect(stdout).toContain('Function "wordcount" failed (exit code 2)');
  });

  it("show tells of one that was accepted which attempt it has come to, and what became of those before", async () => {
    const past = [{ attempt: 1, siteId: "plant", agentId: "plant-1", endedAt: "2026-11-25T11:59:30.000Z", result: { outcome: "timed_out" as const } }];
    const waiting = { state: "waiting" as const, invocationId: id, functionName: "wordcount", acceptedAt: "2026-11-25T11:59:00.000Z", attempt: 2, notBefore: "2026-11-25T12:00:30.000Z", expiresAt: "2026-11-25T18:00:00.000Z", past };
    const { stdout, exitCode } = await runLine(["invocation", "show", id], { fleet: { invocation: () => ({ ...handle, status: async () => waiting }) } });
    expect(exitCode).toBe(0);
    expect(stdout).toContain("attempt   2\n");
    expect(stdout).toContain("begins    not before 2026-11-25T12:00:30.000Z\n");
    expect(stdout).toContain("before    attempt 1 timed_out at plant/plant-1, 2026-11-25T11:59:30.000Z\n");
  });

  it("wait tells what became of it, with its exit code; Ctrl-C ends the waiting alone", async () => {
    expect(await runLine(["invocation", "wait", id], { fleet })).toMatchObject({ exitCode: 1, stdout: expect.stringContaining("outcome   failed\n") });
    expect(JSON.parse((await runLine(["invocation", "wait", id, "--json"], { fleet })).stdout)).toMatchObject({ state: "finished", record: { invocationId: id } });
    const interrupted = new AbortController();
    const ended = ({ signal }: { readonly signal: AbortSignal }) =>
      new Promise<never>((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new LongshoreError("caller_gone", "x")));
        interrupted.abort("SIGINT");
      });
    expect(await runLine(["invocation", "wait", id], { fleet: { invocation: () => ({ ...handle, ended }) }, signal: interrupted.signal })).toMatchObject({ exitCode: 130, stdout: "", stderr: "" });
  });

  it("result gives the bytes, cancel says so", async () => {
    expect([...(await runLine(["invocation", "result", id], { fleet })).stdoutBytes]).toEqual([0, 255]);
    expect(JSON.parse((await runLine(["invocation", "result", "--json", id], { fleet })).stdout)).toEqual({ bodyBase64: "AP8=" });
    expect((await runLine(["invocation", "cancel", id], { fleet })).stdout).toBe(`Cancelling ${id}\n`);
  });

  it("refuses what is no id", async () => {
    expect(await runLine(["invocation", "show", "seven"], { fleet })).toMatchObject({ exitCode: 2 });
  });
});

describe("longshore rm, version, completion", () => {
  it("rm names what it removed", async () => {
    expect((await runLine(["rm", "wordcount"], { fleet: { remove: async () => undefined } })).stdout).toBe("Removed wordcount\n");
  });

  it("version names all three", async () => {
    expect((await runLine(["version"])).stdout).toMatch(/^longshore \d+\.\d+\.\d+ \(protocol \d+, Node \d+/);
  });

  it("completion knows every command", async () => {
    const { stdout } = await runLine(["completion", "bash"]);
    for (const text of ['"agent") words="ls cordon uncordon drain', '"agent ls") words="--site', '"deploy") words="--file']) expect(stdout).toContain(text);
    expect(await runLine(["completion", "fish"])).toMatchObject({ exitCode: 2 });
  });
});
