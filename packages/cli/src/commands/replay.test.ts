import { type DeadLetter, LongshoreError } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import type { CallOptions, Fleet, InvocationHandle } from "../fleet.ts";
import { callOf } from "../testing/fake-fleet.ts";
import { invocationRecord } from "../testing/fake-record.ts";
import { runLine } from "../testing/run-line.ts";

const record = invocationRecord(1, { result: { outcome: "failed", exitCode: 3 } });
const id = record.invocationId;
const letter: DeadLetter = { record, request: { method: "PUT", target: "/photo?w=10", headers: [["X-Who", "me"], ["Host", "broker"], ["content-length", "7"]] }, where: { site: "plant" as never, labels: { gpu: "true" } } };
const gone = () => Promise.reject(new LongshoreError("dead_letter_not_found", "Cannot find it"));

/** A fleet that has this dead letter, or none, and what was called. */
function fleetOf(kept: DeadLetter | undefined) {
  const called: { name: string; body: string; options: CallOptions }[] = [];
  const call: Fleet["call"] = (name, body, options) => callOf((bytes) => {
    const { signal: _, ...told } = options;
    called.push({ name, body: Buffer.from(bytes).toString(), options: told });
    return { chunks: [Buffer.from("done \u001b[2J")] };
  })(name, body, options);
  const enqueue: Fleet["enqueue"] = async (name, body, options) => {
    called.push({ name, body: Buffer.from(body as Uint8Array).toString(), options });
    return { invocationId: "0197a7c6-5f3e-7b12-9c58-0000000000aa" };
  };
  const deadLetters = { get: kept === undefined ? gone : async () => kept, body: async () => Buffer.from("payload") } as unknown as Fleet["deadLetters"];
  const fleet: Partial<Fleet> = { call, enqueue, deadLetters, invocation: () => ({ invocationId: id, status: async () => ({ state: "finished", record }) }) as unknown as InvocationHandle };
  return { fleet, called };
}

describe("longshore replay", () => {
  it("runs a dead letter again as it was called, and prints the answer as invoke does", async () => {
    const { fleet, called } = fleetOf(letter);
    expect(await runLine(["replay", id], { fleet })).toMatchObject({ exitCode: 0, stdout: "done \u001b[2J" });
    expect((await runLine(["replay", id], { fleet, isTerminal: true })).stdout).toBe("done \\x1b[2J");
    expect(JSON.parse((await runLine(["replay", id, "--json"], { fleet })).stdout)).toMatchObject({ functionName: "resize", result: { outcome: "succeeded" }, body: "done \u001b[2J" });
    expect(called[0]).toEqual({ name: "resize", body: "payload", options: { where: "site=plant,label.gpu=true", method: "PUT", path: "/photo?w=10", headers: [["X-Who", "me"]] } });
  });

  it("lets the command line win over what was recorded", async () => {
    const { fleet, called } = fleetOf(letter);
    await runLine(["replay", id, "--body", "-", "--function", "resize-next", "-H", "x-who: you", "--site", "cloud", "-t", "5s"], { fleet, input: "other" });
    expect(called[0]).toEqual({ name: "resize-next", body: "other", options: { where: "site=cloud", method: "PUT", path: "/photo?w=10", headers: [["x-who", "you"]], timeoutMs: 5_000 } });
  });

  it("says plainly that a request was not kept, with an exit code of its own kind", async () => {
    const { fleet, called } = fleetOf(undefined);
    const { exitCode, stdout, stderr } = await runLine(["replay", id, "--json"], { fleet });
    expect(exitCode).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ error: { reason: "request_not_kept" } });
    expect(stderr).toContain("what its caller sent was not kept; give the body with --body FILE");
    expect(called).toEqual([]);
    expect((await runLine(["replay", id, "--body", "-"], { fleet, input: "by hand" })).exitCode).toBe(0);
    expect(called).toEqual([{ name: "resize", body: "by hand", options: {} }]);
  });

  it("has it accepted where asked to, but not what cannot be", async () => {
    const { fleet, called } = fleetOf({ ...letter, request: { method: "POST", target: "/", headers: [] }, where: {} });
    expect(await runLine(["replay", id, "--async"], { fleet })).toMatchObject({ exitCode: 0, stdout: "0197a7c6-5f3e-7b12-9c58-0000000000aa\n" });
    expect(called).toEqual([{ name: "resize", body: "payload", options: {} }]);
    expect(await runLine(["replay", id, "--async"], { fleet: fleetOf(letter).fleet })).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("PUT /photo") });
  });

  it("refuses what is no id, and a file that is not there", async () => {
    expect(await runLine(["replay", "seven"])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("ID") });
    expect(await runLine(["replay", id, "--body", "/nonexistent/file"], { fleet: fleetOf(letter).fleet })).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("Cannot read /nonexistent/file") });
  });
});
