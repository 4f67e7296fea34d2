import { LongshoreError, type LogLine } from "@longshore/protocol";
import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import type { Fleet, LogOptions } from "../fleet.ts";
import { runLine } from "../testing/run-line.ts";

const line: LogLine = { at: "2026-11-25T12:00:01.250Z", siteId: "plant", agentId: "plant-1", instanceId: "i-00abc123", functionName: "wordcount", revisionId: "wordcount-r3", stream: "stderr", line: "evil \u001b[2J" };
const id = "0197a7c6-5f3e-7b12-9c58-0d8a4be3f001";

/** A fleet that gives these lines, and what it was asked for. */
function fleetOf(...lines: LogLine[]) {
  const asked: { of: readonly string[] | string; options: LogOptions }[] = [];
  const give = async function* (of: readonly string[] | string, options: LogOptions) {
    asked.push({ of, options });
    yield* lines;
  };
  const fleet = { logs: give, invocation: (invocationId: string) => ({ logs: (options: LogOptions) => give(invocationId, options) }) } as unknown as Partial<Fleet>;
  return { fleet, asked };
}

describe("longshore logs", () => {
  it("shows each line with its place, inert", async () => {
    const { fleet, asked } = fleetOf(line, { ...line, stream: "system", instanceId: "", line: "… 3 lines cut here" }, { ...line, siteId: "", agentId: "", instanceId: "", stream: "system", line: "said by a broker" });
    expect((await runLine(["logs", "wordcount"], { fleet })).stdout).toBe(
      ["12:00:01.250 plant/plant-1 abc123 err evil \\x1b[2J", "12:00:01.250 plant/plant-1 ------ sys … 3 lines cut here", "12:00:01.250 broker ------ sys said by a broker", ""].join("\n"),
    );
    expect(asked).toEqual([{ of: ["wordcount"], options: { follow: false, tail: 100 } }]);
  });

  it("gives programs each line as it is", async () => {
    expect(JSON.parse((await runLine(["logs", "wordcount", "--json"], fleetOf(line))).stdout)).toEqual(line);
  });

  it("gives each instance a colour of its own on a terminal, and names functions where there are several", async () => {
    const { fleet } = fleetOf(line, { ...line, instanceId: "i-00def456", stream: "stdout", line: "plain" });
    const { stdout } = await runLine(["logs", "wordcount", "resize"], { fleet, isTerminal: true });
    const [one, other] = stdout.split("\n");
    const colour = /\u001b\[(\d+)m(?:abc123|def456)/;
    expect(one).toContain("plant/plant-1 wordcount \u001b[");
    expect(colour.exec(one ?? "")?.[1]).not.toBe(colour.exec(other ?? "")?.[1]);
    expect(one).toContain("\u001b[33merr\u001b[39m evil \\x1b[2J");
  });

  it("asks for what its options say", async () => {
    const { fleet, asked } = fleetOf();
    await runLine(["logs", "a", "b", "--tail", "5", "--since", "10m", "--site", "plant", "--agent", "plant-1", "--instance", "i-1", "--stream", "err"], { fleet });
    await runLine(["logs", "--invocation", id, "--stream", "stdout"], { fleet });
    expect(asked).toEqual([
      { of: ["a", "b"], options: { follow: false, tail: 5, sinceMs: 600_000, siteId: "plant", agentId: "plant-1", instanceId: "i-1", stream: "stderr" } },
      { of: id, options: { follow: false, tail: 100, stream: "stdout" } },
    ]);
  });

  it("follows until Ctrl-C", async () => {
    const interrupted = new AbortController();
    const fleet = {
      async *logs() {
        yield line;
        interrupted.abort("SIGINT");
        throw new LongshoreError("caller_gone", "x");
      },
    };
    expect(await runLine(["logs", "-f", "wordcount"], { fleet, signal: interrupted.signal })).toMatchObject({ exitCode: 130, stderr: "" });
  });

  it("takes lines no faster than stdout does", async () => {
    let given = 0;
    let most = 0;
    let written = 0;
    const out = new Writable({
      highWaterMark: 1,
      write: (_chunk, _encoding, done) => {
        written += 1;
        most = Math.max(most, given - written);
        setImmediate(done);
      },
    });
    const fleet = {
      async *logs() {
        for (; given < 50; given += 1) yield line;
      },
    };
    expect((await runLine(["logs", "wordcount"], { fleet, out })).exitCode).toBe(0);
    expect({ written, most }).toEqual({ written: 50, most: 0 });
  });

  it.each([
    [["logs"], "FUNCTION or --invocation is missing"],
    [["logs", "a", "--invocation", id], "exclude one another"],
    [["logs", "A!"], "FUNCTION"],
    [["logs", "--invocation", "seven"], "--invocation"],
    [["logs", "a", "--tail", "-1"], "--tail"],
    [["logs", "a", "--since", "soon"], "--since"],
    [["logs", "a", "--site", "Plant!"], "--site"],
    [["logs", "a", "--stream", "stdin"], "--stream"],
  ])("refuses %j", async (argv, words) => {
    const { exitCode, stderr } = await runLine(argv, fleetOf());
    expect(exitCode).toBe(2);
    expect(stderr).toContain(words);
  });
});
