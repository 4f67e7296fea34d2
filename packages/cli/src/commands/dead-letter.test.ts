import { type DeadLetter, type InvocationView, LongshoreError, type UnreadableInvocation } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { runLine } from "../testing/run-line.ts";

const id = "0197a7c6-5f3e-7b12-9c58-0d8a4be3f001";
const again = "0197a7c6-5f3e-7b12-9c58-0d8a4be3f002";
const failed = { outcome: "failed", exitCode: 3, message: "It exited with code 3" } as const;
const letter: DeadLetter = {
  record: { invocationId: id, functionName: "resize", siteId: "plant", agentId: "plant-1", attempt: 2, result: failed, acceptedAt: "2026-11-25T11:00:00.000Z", finishedAt: "2026-11-25T11:30:00.000Z", timings: {}, payloadBytes: 7, resultBytes: 0, resultKept: true, past: [{ attempt: 1, siteId: "cloud", agentId: "cloud-1", endedAt: "2026-11-25T11:10:00.000Z", result: { outcome: "timed_out", message: "It took too long" } }] },
  request: { method: "POST", target: "/", headers: [] },
  where: {},
};
async function* each<T>(...items: T[]) {
  await Promise.resolve();
  yield* items;
}
const words = (text: string) => text.trimEnd().split("\n").map((line) => line.replace(/ +/g, " "));

describe("longshore dead-letter", () => {
  const deadLetters = {
    each: () => each(letter),
    get: async () => letter,
    body: async () => new Uint8Array([1, 2, 255]),
    redrive: async () => ({ state: "waiting", invocationId: again, functionName: "resize", acceptedAt: "2026-11-25T12:00:00.000Z" }) as const,
    redriveAll: async () => ({ redriven: 3, failed: 1 }),
    remove: async () => undefined,
  };

  it("ls lists what did not succeed, to people and to programs", async () => {
    expect(words((await runLine(["dead-letter", "ls"], { fleet: { deadLetters } })).stdout)).toEqual(["ID FUNCTION OUTCOME ATTEMPTS ENDED BYTES", `${id} resize failed 2 30m ago 7B`]);
    expect(JSON.parse((await runLine(["dead-letter", "ls", "--json"], { fleet: { deadLetters } })).stdout)).toEqual({ deadLetters: [letter] });
    expect((await runLine(["dead-letter", "ls"], { fleet: { deadLetters: { ...deadLetters, each: () => each() } } })).stderr).toContain("There are no dead letters");
  });

  it("show tells the reason of every attempt", async () => {
    const { stdout } = await runLine(["dead-letter", "show", id], { fleet: { deadLetters } });
    expect(stdout).toContain("attempt 1 at cloud/cloud-1");
    expect(stdout).toMatch(/attempt 2 at plant\/plant-1, ended 2026-11-25T11:30:00.000Z\n {2}.*exit/);
  });

  it("body writes the bytes as they came", async () => {
    expect((await runLine(["dead-letter", "body", id, "--json"], { fleet: { deadLetters } })).stdout).toContain("AQL/");
  });

  it("redrive submits one again, or all of a function, and wants to know which", async () => {
    expect((await runLine(["dead-letter", "redrive", id], { fleet: { deadLetters } })).stdout).toBe(`Submitted again as ${again}\n`);
    expect((await runLine(["dead-letter", "redrive", "--all", "resize"], { fleet: { deadLetters } })).stdout).toBe("Submitted 3 again; 1 could not be\n");
    for (const line of [["dead-letter", "redrive"], ["dead-letter", "redrive", id, "--all", "resize"]]) expect(await runLine(line, { fleet: { deadLetters } })).toMatchObject({ stdout: "", stderr: expect.stringContaining("give an id, or --all FUNCTION") });
  });

  it("rm gives one up, and tells of one that is not there", async () => {
    expect((await runLine(["dead-letter", "rm", id], { fleet: { deadLetters } })).stdout).toBe(`Gave ${id} up\n`);
    const gone = async () => Promise.reject(new LongshoreError("dead_letter_not_found", `Cannot find dead letter ${id}`));
    expect((await runLine(["dead-letter", "rm", id], { fleet: { deadLetters: { ...deadLetters, remove: gone } } })).stderr).toContain("Cannot find dead letter");
    expect((await runLine(["dead-letter", "rm", "seven"], { fleet: { deadLetters } })).stderr).toContain("ID");
  });
});

describe("longshore invocation ls", () => {
  const pending = { state: "running", invocationId: id, functionName: "resize", acceptedAt: "2026-11-25T11:00:00.000Z", attempt: 2 } as const;
  const invocations = { each: ({ state }: { state?: string }) => (state === "finished" ? each({ state: "finished" as const, record: letter.record }) : each<InvocationView>({ ...pending, siteId: "plant", agentId: "plant-1" }, { ...pending, cancelRequested: true })) };

  it("lists what waits and what runs, or what has ended", async () => {
    expect(words((await runLine(["invocation", "ls"], { fleet: { invocations } })).stdout)).toEqual(["ID FUNCTION STATE ATTEMPT WHERE AGE", `${id} resize running 2 plant/plant-1 60m`, `${id} resize cancelling 2 - 60m`]);
    expect(words((await runLine(["invocation", "ls", "--finished"], { fleet: { invocations } })).stdout)[1]).toBe(`${id} resize failed 2 plant/plant-1 60m`);
    expect(JSON.parse((await runLine(["invocation", "ls", "--limit", "1", "--json"], { fleet: { invocations } })).stdout)).toMatchObject({ invocations: [pending] });
  });

  it("names what could not be read beside the others", async () => {
    const unreadable = { invocationId: "an-id", functionName: "resize", state: "waiting" } as const;
    const some = {
      each: ({ onUnreadable }: { onUnreadable?: (each: UnreadableInvocation) => void }) => {
        onUnreadable?.(unreadable);
        return each<InvocationView>(pending);
      },
    };
    const shown = await runLine(["invocation", "ls"], { fleet: { invocations: some } });
    expect(words(shown.stdout)).toHaveLength(2);
    expect(shown.stderr).toContain('Cannot read invocation an-id of "resize"');
    expect(JSON.parse((await runLine(["invocation", "ls", "--json"], { fleet: { invocations: some } })).stdout)).toMatchObject({ invocations: [pending], unreadable: [unreadable] });
  });
});
