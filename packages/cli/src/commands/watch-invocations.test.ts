import { type FleetEvent, type InvocationRecord, LongshoreError, type RecordPage } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import type { Fleet } from "../fleet.ts";
import { agentView } from "../testing/fake-fleet.ts";
import { invocationRecord } from "../testing/fake-record.ts";
import { runLine } from "../testing/run-line.ts";

const connected: readonly FleetEvent[] = [{ event: "agent", agent: agentView() }, { event: "caught_up" }];
const ended = (...records: InvocationRecord[]): readonly FleetEvent[] => records.map((record) => ({ event: "invocation", record }));
const [one, two, three] = [invocationRecord(1), invocationRecord(2, { result: { outcome: "failed", exitCode: 3, message: "exited\u001b[2J" }, attempt: 2, siteId: "cloud", agentId: "cloud-1" }), invocationRecord(3, { functionName: "wordcount" })];

/** A fleet in which that happens, and what it is asked for. */
function fleetOf(events: readonly FleetEvent[], page: () => Promise<RecordPage> = async () => ({ records: [] })): { fleet: Partial<Fleet>; asked: unknown[] } {
  const asked: unknown[] = [];
  const watch = async function* () {
    await Promise.resolve();
    yield* events;
  };
  return { asked, fleet: { watch, records: { page: (query) => (asked.push(query), page()) } } };
}

describe("longshore watch invocations", () => {
  it("shows each as it ends, aligned, with why it did not succeed", async () => {
    const { stdout, stderr } = await runLine(["watch", "invocations"], fleetOf([...connected, ...ended(one, two, three)]));
    expect(stdout.split("\n")).toEqual([
      "12:00:01.000 succeeded  resize     plant/plant-1  warm    38ms 0197a7c6-5f3e-7b12-9c58-000000000001",
      "12:00:02.000 failed     resize     cloud/cloud-1  warm    38ms 0197a7c6-5f3e-7b12-9c58-000000000002 attempt 2: exited\\x1b[2J",
      "12:00:03.000 succeeded  wordcount  plant/plant-1  warm    38ms 0197a7c6-5f3e-7b12-9c58-000000000003",
      "",
    ]);
    expect(stderr).toBe("");
  });

  it("colours outcomes on a terminal, and cuts the reason to its width", async () => {
    const { stdout } = await runLine(["watch", "invocations"], { ...fleetOf([...connected, ...ended(one, two)]), isTerminal: true, columns: 107 });
    expect(stdout).toContain("\u001b[32msucceeded \u001b[39m");
    expect(stdout).toContain("\u001b[31mfailed    \u001b[39m");
    expect(stdout).toContain("000000000002 \u001b[2mattemp…\u001b[22m\n");
  });

  it.each([
    [["--function", "wordcount"], [three]],
    [["--outcome", "failed"], [two]],
    [["--site", "plant"], [one, three]],
    [["--agent", "cloud-1"], [two]],
    [["--site", "cloud", "--outcome", "succeeded"], []],
  ])("narrows to %j, for programs as records", async (argv, expected) => {
    const { stdout } = await runLine(["watch", "invocations", "--json", ...argv], fleetOf([...connected, ...ended(one, two, three)]));
    expect(stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as unknown)).toEqual(expected);
  });

  it("says that the connection broke, and shows what ended meanwhile, nothing twice", async () => {
    const { fleet, asked } = fleetOf([...connected, ...ended(one), ...connected, ...ended(two, three)], async () => ({ records: [two, one], next: "2026-11-25T11:59:00.000Z" }));
    const { stdout, stderr } = await runLine(["watch", "invocations", "--json", "--outcome", "succeeded"], { fleet });
    expect(stderr).toBe("The connection broke and is back; what ended meanwhile follows\n");
    expect(stdout.split("\n").filter((line) => line !== "").map((line) => (JSON.parse(line) as InvocationRecord).invocationId)).toEqual([one, two, three].map(({ invocationId }) => invocationId));
    expect(asked).toEqual([{ outcome: "succeeded", limit: 200 }]);
  });

  it("says so where nobody knows what ended meanwhile", async () => {
    const { fleet } = fleetOf([...connected, ...connected, ...ended(one)], () => Promise.reject(new LongshoreError("route_not_found", "x")));
    const { stdout, stderr } = await runLine(["watch", "invocations"], { fleet });
    expect(stderr).toBe("The connection broke and is back; what ended meanwhile is not shown\n");
    expect(stdout).toContain("000000000001");
  });

  it("ends with Ctrl-C", async () => {
    const interrupted = new AbortController();
    const watch = async function* (): AsyncGenerator<FleetEvent> {
      yield* connected;
      interrupted.abort("SIGINT");
    };
    expect(await runLine(["watch", "invocations"], { fleet: { watch }, signal: interrupted.signal })).toMatchObject({ exitCode: 130 });
  });

  it.each([[["--function", "A!"], "--function"], [["--outcome", "good"], "expected one of succeeded"], [["--site", "Plant!"], "--site"], [["--agent", "-"], "--agent"]])("refuses %j", async (argv, words) => {
    expect(await runLine(["watch", "invocations", ...argv])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(words) });
  });
});
