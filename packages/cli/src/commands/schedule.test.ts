import type { ScheduleDocument, ScheduleView } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import type { Fleet } from "../fleet.ts";
import { runLine } from "../testing/run-line.ts";

const view = {
  name: "nightly", function: "report", cron: "0 3 * * 1-5", timeZone: "Europe/Berlin", missed: "once", paused: false, bodyBytes: 2, createdAt: "2026-11-25T12:00:00.000Z", updatedAt: "2026-11-25T12:00:00.000Z",
  nextAt: "2026-11-26T02:00:00.000Z", lastAt: "2026-11-25T02:00:00.000Z", lastInvocationId: "0197a7c6-5f3e-7b12-9c58-0d8a4be3f001",
} as ScheduleView;

function recording(views = [view]): { fleet: Partial<Fleet>; set: ScheduleDocument[]; asked: string[] } {
  const set: ScheduleDocument[] = [];
  const asked: string[] = [];
  const ask = <T>(verb: string, answer: T) => async (name: string): Promise<T> => (asked.push(`${verb} ${name}`), answer);
  const { nextAt: _, ...paused } = view;
  const schedules: Fleet["schedules"] = {
    list: async () => views,
    get: ask("get", view),
    set: async (document) => (set.push(document), view),
    remove: ask("remove", undefined),
    pause: ask("pause", { ...paused, paused: true }),
    resume: ask("resume", view),
    run: ask("run", { invocationId: "0197a7c6-5f3e-7b12-9c58-0d8a4be3f002" }),
  };
  return { fleet: { schedules }, set, asked };
}

describe("longshore schedule", () => {
  it("sets what its options say, and nothing else", async () => {
    const { fleet, set } = recording();
    const { stdout, exitCode } = await runLine(["schedule", "set", "nightly", "--function", "report", "--cron", "0 3 * * 1-5", "--time-zone", "Europe/Berlin", "-d", "go", "--where", "site=plant", "--max-age", "1h"], { fleet });
    expect(set).toEqual([{ name: "nightly", function: "report", cron: "0 3 * * 1-5", timeZone: "Europe/Berlin", body: "go", where: { site: "plant" }, maxAgeMs: 3_600_000 }]);
    expect({ stdout, exitCode }).toEqual({ stdout: "nightly runs report at 0 3 * * 1-5 (Europe/Berlin), next at 2026-11-26T02:00:00.000Z\n", exitCode: 0 });
    await runLine(["schedule", "set", "poll", "--function", "poll", "--every", "30s", "--missed", "skip", "--paused"], { fleet, input: "not asked for" });
    expect(set[1]).toEqual({ name: "poll", function: "poll", everyMs: 30_000, missed: "skip", paused: true });
  });

  it("sends bytes that are no text as they are", async () => {
    const { fleet, set } = recording();
    await runLine(["schedule", "set", "a", "--function", "f", "--every", "1m", "-d", "@-"], { fleet, input: new Uint8Array([0xff, 0x00]) as never });
    expect(set[0]).toMatchObject({ bodyBase64: "/wA=" });
  });

  it.each([
    [["--cron", "0 3 * * *"], 2],
    [["--function", "f", "--every", "soon"], 2],
    [["--function", "f", "--every", "1m", "--where", "color=red"], 2],
  ])("refuses %o", async (flags, exitCode) => {
    const { fleet, set } = recording();
    expect((await runLine(["schedule", "set", "a", ...flags], { fleet })).exitCode).toBe(exitCode);
    expect(set).toEqual([]);
  });

  it("lists and shows", async () => {
    expect((await runLine(["schedule", "ls"], { fleet: recording().fleet })).stdout).toMatch(/^SCHEDULE +FUNCTION +WHEN +NEXT +LAST\nnightly +report +at 0 3 \* \* 1-5 \(Europe\/Berlin\) +2026-11-26T02/);
    expect(JSON.parse((await runLine(["schedule", "ls", "--json"], { fleet: recording().fleet })).stdout)).toEqual({ schedules: [view] });
    expect((await runLine(["schedule", "ls"], { fleet: recording([]).fleet })).stderr).toContain("longshore schedule set");
    expect((await runLine(["schedule", "show", "nightly"], { fleet: recording().fleet })).stdout).toContain("last      2026-11-25T02:00:00.000Z 0197a7c6-5f3e-7b12-9c58-0d8a4be3f001\n");
  });

  it.each([["pause", "pause", "Paused nightly\n"], ["resume", "resume", "Resumed nightly, next at 2026-11-26T02:00:00.000Z\n"], ["run", "run", "0197a7c6-5f3e-7b12-9c58-0d8a4be3f002\n"], ["rm", "remove", "Removed nightly\n"]])("%s does so", async (verb, call, said) => {
    const { fleet, asked } = recording();
    expect((await runLine(["schedule", verb, "nightly"], { fleet })).stdout).toBe(said);
    expect(asked).toEqual([`${call} nightly`]);
  });
});
