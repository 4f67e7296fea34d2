import type { DeadLetter, InvocationRecord, LogLine } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import type { Fleet } from "../fleet.ts";
import { agentView, callOf, functionView } from "../testing/fake-fleet.ts";
import { runLine } from "../testing/run-line.ts";

const id = "0197a7c6-5f3e-7b12-9c58-0d8a4be3f001";
/** A title, a cleared screen, the end of a line drawn over, text in another order, a mark of nothing, a bell. */
const hostile = "\u001b]0;owned\u0007\u001b[2J\u009b31mred\r\u202etxt.exe\u200b\u0000";
const long = `${"y".repeat(100_000)}end`;
const result = { outcome: "failed" as const, message: hostile, stderrTail: `${hostile}\n${long}` };
const record: InvocationRecord = {
  invocationId: id, functionName: hostile, revisionId: hostile, siteId: hostile, agentId: hostile, attempt: 1, result, acceptedAt: "2026-11-25T11:59:00.000Z", finishedAt: hostile,
  timings: {}, payloadBytes: 1, resultBytes: 2, resultKept: true, resultHeaders: [["x", hostile]],
};
const line: LogLine = { at: "2026-11-25T12:00:01.250Z", siteId: "plant", agentId: "plant-1", instanceId: "i-00abc123", functionName: "wordcount", revisionId: "wordcount-r3", stream: "stderr", line: hostile + long };
const letter: DeadLetter = { record, request: { method: "POST", target: "/", headers: [] }, where: {} };
const bytes = Buffer.from(`${hostile}\nok\n`);
const each = async function* <T>(item: T) {
  await Promise.resolve();
  yield item;
};
const fleet: Partial<Fleet> = {
  list: async () => [functionView({ name: hostile, image: hostile })],
  agents: { list: async () => [agentView({ agentId: hostile, detail: hostile })] } as unknown as Fleet["agents"],
  invocation: () => ({ invocationId: id, status: async () => ({ state: "finished", record }), ended: async () => record, cancel: async () => undefined, result: async () => new Blob([bytes]).stream(), logs: () => each(line) }),
  invocations: { each: () => each({ state: "finished" as const, record }) },
  deadLetters: { each: () => each(letter), get: async () => letter, body: async () => bytes } as unknown as Fleet["deadLetters"],
  logs: () => each(line),
  call: callOf(() => ({ chunks: [bytes], result })),
};

/** The sequences that our own colours are; they are not looked for. */
const ours = /\u001b\[[\d;]*m/g;
const unsafe = /[^\t\n\P{Cc}]|[\u200b-\u200f\u202a-\u202e]/u;

describe("what comes from functions", () => {
  it.each([
    ["ls"], ["agent", "ls"], ["invocation", "ls"], ["invocation", "ls", "--finished", "--json"], ["invocation", "show", id], ["invocation", "show", id, "--json"], ["invocation", "result", id], ["invocation", "wait", id],
    ["dead-letter", "ls"], ["dead-letter", "show", id], ["dead-letter", "body", id], ["dead-letter", "show", id, "--json"], ["logs", "wordcount"], ["logs", "wordcount", "--json"], ["invoke", "wordcount", "-i", "-d", "x"], ["invoke", "wordcount", "--json", "-d", "x"],
  ].map((argv) => [argv.join(" "), argv] as const))("does nothing on a terminal but be read: %s", async (_name, argv) => {
    const { stdout, stderr } = await runLine(argv, { fleet, isTerminal: true });
    for (const text of [stdout, stderr]) expect(unsafe.exec(text.replace(ours, ""))).toBeNull();
    expect(stdout).toMatch(/\\x1b\]0;owned|\\u001b\]0;owned/);
    if (!argv.includes("--json")) expect(stdout).not.toContain("end\n");
  });

  it("is exact in a pipe, byte for byte", async () => {
    for (const argv of [["invoke", "wordcount", "-d", "x"], ["invocation", "result", id], ["dead-letter", "body", id]]) expect(Buffer.from((await runLine(argv, { fleet })).stdoutBytes)).toEqual(bytes);
    expect((await runLine(["logs", "wordcount"], { fleet })).stdout).toMatch(/yend\n$/);
    expect(JSON.parse((await runLine(["logs", "wordcount", "--json"], { fleet })).stdout)).toEqual(line);
  });

  it("is looked for in what would show it", () => {
    expect(unsafe.exec(hostile)).not.toBeNull();
    expect(unsafe.exec("a\tb\nc")).toBeNull();
  });
});
