import { type DeadLetter, type InvocationView, LongshoreError } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import type { Fleet, InvocationHandle } from "../fleet.ts";
import { invocationRecord } from "../testing/fake-record.ts";
import { runLine } from "../testing/run-line.ts";

const record = invocationRecord(1, {
  attempt: 2, start: "held", result: { outcome: "failed", exitCode: 3, status: 500, message: "It broke", stderrTail: "panic \u001b[2J\n" }, acceptedAt: "2026-11-25T12:00:00.000Z", timings: { startMs: 100, runMs: 300, totalMs: 1_000 }, resultHeaders: [["content-type", "text/plain"]],
  past: [{ attempt: 1, siteId: "cloud", agentId: "cloud-1", endedAt: "2026-11-25T12:00:00.400Z", result: { outcome: "timed_out", message: "It took too long" } }],
});
const id = record.invocationId;
const finished: InvocationView = { state: "finished", record };
const pending = { state: "running", invocationId: id, functionName: "resize", acceptedAt: "2026-11-25T11:59:50.000Z", attempt: 2, siteId: "plant", agentId: "plant-1" } as const;
const letter: DeadLetter = { record, request: { method: "PUT", target: "/photo?w=10", headers: [["x-who", "me"]] }, where: {} };
const gone = () => Promise.reject(new LongshoreError("dead_letter_not_found", "Cannot find it"));

function fleetOf(views: InvocationView[], get: Fleet["deadLetters"]["get"] = gone, ended: InvocationHandle["ended"] = async () => record): Partial<Fleet> {
  const status = async () => views.shift() ?? finished;
  return { deadLetters: { get } as Fleet["deadLetters"], invocation: () => ({ invocationId: id, status, ended }) as InvocationHandle };
}

describe("longshore trace", () => {
  it("shows where the time went, where it ran, why it failed, and the heads", async () => {
    const { stdout, exitCode } = await runLine(["trace", id], { fleet: fleetOf([finished], async () => letter), columns: 160 });
    expect(exitCode).toBe(1);
    const [title, ...lines] = stdout.split("\n");
    expect(title).toBe(`resize ${id} failed after 1s`);
    expect(lines.map((line) => line.trimEnd())).toEqual(expect.arrayContaining([
      "ran at     plant/plant-1, instance i-00abc123",
      "attempt    2 after 1 that ended otherwise",
      `attempt    ${"█".repeat(24)}${"·".repeat(36)}     400ms  attempt 1 timed_out at cloud/cloud-1: It took too long`,
      `backoff    ${"·".repeat(24)}${"░".repeat(12)}${"·".repeat(24)}     200ms`,
      `start      ${"·".repeat(36)}${"█".repeat(6)}${"·".repeat(18)}     100ms  held: its program began in a container that waited`,
      `run        ${"·".repeat(42)}${"█".repeat(18)}     300ms`,
      "attempt 1 at cloud/cloud-1, ended 2026-11-25T12:00:00.400Z",
      '  Function "resize" timed out: It took too long',
      'Function "resize" failed (exit code 3, HTTP 500): It broke',
      "  | panic \\x1b[2J",
      "request    PUT /photo?w=10",
      "           x-who: me",
      "answer     HTTP 500",
      "           content-type: text/plain",
    ]));
  });

  it("gives programs the view with its spans", async () => {
    const document = JSON.parse((await runLine(["trace", id, "--json"], { fleet: fleetOf([finished]) })).stdout) as object;
    expect(document).toMatchObject({ state: "finished", record: { invocationId: id }, timeline: { totalMs: 1_000, spans: [{ kind: "attempt" }, { kind: "backoff", fromMs: 400, untilMs: 600 }, { kind: "start" }, { kind: "run" }] } });
    expect(document).not.toHaveProperty("request");
  });

  it("shows one that goes on as it stands", async () => {
    const { stdout, exitCode } = await runLine(["trace", id], { fleet: fleetOf([pending]) });
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`resize ${id} running for 10s\n`);
    expect(stdout).toMatch(/\nrunning +█+ +10s {2}at plant\/plant-1\n/);
  });

  it("follows one to its end, and says how it stands meanwhile", async () => {
    const { stdout, stderr, exitCode } = await runLine(["trace", "-f", id], { fleet: fleetOf([pending]) });
    expect(exitCode).toBe(1);
    expect(stdout).toContain("failed after 1s\n");
    expect(stderr).toBe("resize: running at plant/plant-1, attempt 2\n");
  });

  it("is left by Ctrl-C, and shows nothing then", async () => {
    const interrupted = new AbortController();
    const ended = async () => {
      interrupted.abort("SIGINT");
      throw new LongshoreError("caller_gone", "x");
    };
    expect(await runLine(["trace", "-f", "--json", id], { fleet: fleetOf([pending], gone, ended), signal: interrupted.signal })).toMatchObject({ exitCode: 130, stdout: "", stderr: "" });
  });

  it("refuses what is no id, and tells of one that is not known", async () => {
    expect(await runLine(["trace", "seven"])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("ID") });
    const unknown = { invocation: () => ({ status: () => Promise.reject(new LongshoreError("invocation_not_found", "Cannot find it")) }) } as unknown as Partial<Fleet>;
    expect(await runLine(["trace", id], { fleet: unknown })).toMatchObject({ exitCode: 3, stderr: expect.stringContaining("Cannot find it") });
  });
});
