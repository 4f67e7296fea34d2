import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { type InvocationRecord, LongshoreError } from "@longshore/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Fleet, MapOptions, MapResult } from "../fleet.ts";
import { runLine } from "../testing/run-line.ts";

const id = "0197a7c6-5f3e-7b12-9c58-0d8a4be3f001";
const recordOf = (result: InvocationRecord["result"]) => ({ result }) as InvocationRecord;

/** A fleet that answers each input as the function says, one after another. */
function mapping(run: (input: string, index: number) => Partial<MapResult>, end?: Error) {
  const asked: { name: string; inputs: string[]; options: MapOptions }[] = [];
  const map: Fleet["map"] = async function* (name, inputs, options) {
    const seen: string[] = [];
    asked.push({ name, inputs: seen, options });
    let [accepted, failed, index] = [0, 0, 0];
    for await (const input of inputs) {
      seen.push(input);
      const result = run(input, index);
      accepted += 1;
      failed += result.error === undefined ? 0 : 1;
      options.onProgress({ accepted, succeeded: accepted - failed, failed, total: undefined });
      yield { index, invocationId: id, record: recordOf({ outcome: "succeeded" }), ...result };
      index += 1;
    }
    if (end !== undefined) throw end;
  };
  return { asked, fleet: { map } };
}
const lines = (stdout: string) => stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as object);

describe("longshore map", () => {
  let folder: string;
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "longshore-map-"))));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  it("sends each JSON document of stdin as it stands, and prints results as lines", async () => {
    const values: unknown[] = [{ a: 1 }, "text", Uint8Array.of(52, 10), Uint8Array.of(255, 0)];
    const { fleet, asked } = mapping((_input, index) => ({ value: values[index] }));
    const { stdout, exitCode, stderr } = await runLine(["map", "resize"], { fleet, input: '{"n": 12345678901234567890}\n\n"two"\r\n3\n4' });
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(asked).toMatchObject([{ name: "resize", inputs: ['{"n": 12345678901234567890}', '"two"', "3", "4"], options: { headers: [["content-type", "application/json"]] } }]);
    expect(asked[0]!.options.mapId).toMatch(/^[0-9a-f-]{36}$/);
    expect(lines(stdout)).toEqual([
      { index: 0, invocationId: id, outcome: "succeeded", value: { a: 1 } },
      { index: 1, invocationId: id, outcome: "succeeded", value: "text" },
      { index: 2, invocationId: id, outcome: "succeeded", value: "4\n" },
      { index: 3, invocationId: id, outcome: "succeeded", valueBase64: "/wA=" },
    ]);
  });

  it("with --lines sends each line as text, from a file or stdin, with all that was said", async () => {
    const { fleet, asked } = mapping(() => ({}));
    const line = ["--lines", "-c", "500", "--id", "night", "--site", "plant", "-t", "5s", "--max-age", "1h", "-H", "X-A: 1"];
    await runLine(["map", "f", file("plain.txt", "one\n\ntwo\n"), ...line], { fleet });
    await runLine(["map", "f", "-", "--lines"], { fleet, input: "one" });
    expect(asked.map(({ inputs }) => inputs)).toEqual([["one", "", "two"], ["one"]]);
    expect(asked[0]!.options).toMatchObject({ mapId: "night", concurrency: 500, where: "site=plant", timeoutMs: 5_000, maxAgeMs: 3_600_000, headers: [["X-A", "1"]] });
  });

  it("ends with 1 when some failed, and says which and why", async () => {
    const error = { code: "internal", reason: "failed", message: 'Function "f" failed (exit code 3)' };
    const { fleet } = mapping((_input, index) => (index === 1 ? { error, record: recordOf({ outcome: "failed", stderrTail: "oh" }) } : { value: 1 }));
    const { stdout, exitCode } = await runLine(["map", "f"], { fleet, input: "1\n2\n3" });
    expect(exitCode).toBe(1);
    expect(lines(stdout)[1]).toEqual({ index: 1, invocationId: id, outcome: "failed", error: { ...error, stderrTail: "oh" } });
  });

  it("refuses a file with a line that is no JSON before anything is sent, naming the line", async () => {
    const { fleet, asked } = mapping(() => ({}));
    const outcome = await runLine(["map", "f", file("bad.jsonl", "1\n{oops\n")], { fleet });
    expect(outcome).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringMatching(/Cannot read line 2 of .*bad\.jsonl: it is not JSON\n.*--lines/) });
    expect(asked).toEqual([]);
    expect(await runLine(["map", "f", "/none"], { fleet })).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("Cannot read /none") });
  });

  it("tells how what was accepted is taken up again: after a bad line, an error, Ctrl-C", async () => {
    const bad = await runLine(["map", "f", "--id", "night"], { fleet: mapping(() => ({})).fleet, input: "1\n{oops\n" });
    expect(bad).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("--id night takes it up again") });
    const lost = await runLine(["map", "f"], { fleet: mapping(() => ({}), new LongshoreError("connection_lost", "Cannot reach a broker")).fleet, input: "1" });
    expect(lost).toMatchObject({ exitCode: 3, stderr: expect.stringMatching(/--id [0-9a-f-]{36} takes it up again\n.*Cannot reach a broker/) });
    const refused = await runLine(["map", "f"], { fleet: mapping(() => ({}), new LongshoreError("function_not_found", "Cannot find it")).fleet, input: "" });
    expect(refused.stderr).not.toContain("takes it up again");

    const interrupted = new AbortController();
    const map: Fleet["map"] = async function* (_name, _inputs, { signal, onProgress }) {
      onProgress({ accepted: 1, succeeded: 0, failed: 0, total: undefined });
      interrupted.abort("SIGINT");
      if (signal?.aborted === true) throw new LongshoreError("caller_gone", "x");
      yield { index: 0 };
    };
    expect(await runLine(["map", "f"], { fleet: { map }, input: "1", signal: interrupted.signal })).toMatchObject({ exitCode: 130, stdout: "", stderr: expect.stringContaining("takes it up again") });
  });

  it("ends quietly when nobody reads its stdout any more", async () => {
    const out = new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" })) });
    out.on("error", () => undefined);
    const { fleet, asked } = mapping(() => ({}));
    expect(await runLine(["map", "f"], { fleet, input: "1\n2\n3", out })).toMatchObject({ exitCode: 141 });
    expect(asked[0]!.inputs).toEqual(["1"]);
  });

  it("shows on a terminal how far it has come, of how many where a file says so", async () => {
    let nowMs = 0;
    const error = { code: "internal", reason: "failed", message: "no" };
    const { fleet } = mapping((_input, index) => (index === 3 ? { error } : {}));
    const now = () => (nowMs += 200);
    const ofFile = await runLine(["map", "f", file("four.jsonl", "1\n2\n3\n4\n")], { fleet, isTerminal: true, now });
    expect(ofFile.stderr).toMatch(/f: 4 of 4 done, 1 failed, \d+\/s/);
    const ofPipe = await runLine(["map", "f"], { fleet, isTerminal: true, now, input: "1\n2\n3\n4\n" });
    expect(ofPipe.stderr).toMatch(/f: 4 done, 1 failed/);
    expect(ofPipe.stderr).not.toContain(" of ");
  });
});
