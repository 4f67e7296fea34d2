import { parseCron } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../testing/random.ts";
import { nextCronTime } from "./cron-times.ts";
import { zoneNamed } from "./zone.ts";

const next = (line: string, timeZone: string, after: number) => nextCronTime(parseCron(line), zoneNamed(timeZone), after);

/** The first so many due times after an instant. */
function walk(line: string, timeZone: string, after: string, count: number): string[] {
  const found: string[] = [];
  for (let at = Date.parse(after); found.length < count; ) {
    at = next(line, timeZone, at);
    found.push(new Date(at).toISOString().replace(/:00\.000Z$/, "Z"));
  }
  return found;
}

describe("nextCronTime()", () => {
  it.each([
    ["0 3 * * 1-5", "2026-11-27T12:00:00Z", ["2026-11-30T03:00Z", "2026-12-01T03:00Z"]],
    ["*/20 8,9 * * *", "2026-11-27T08:30:00Z", ["2026-11-27T08:40Z", "2026-11-27T09:00Z", "2026-11-27T09:20Z", "2026-11-27T09:40Z", "2026-11-28T08:00Z"]],
    ["0 0 1 1 *", "2026-11-27T08:30:00Z", ["2027-01-01T00:00Z", "2028-01-01T00:00Z"]],
    ["0 0 29 2 *", "2026-11-27T08:30:00Z", ["2028-02-29T00:00Z", "2032-02-29T00:00Z"]],
    ["0 0 29 2 *", "2096-03-01T00:00:00Z", ["2104-02-29T00:00Z"]],
    ["0 0 13 * 5", "2026-11-01T00:00:00Z", ["2026-11-06T00:00Z", "2026-11-13T00:00Z", "2026-11-20T00:00Z", "2026-11-27T00:00Z", "2026-12-04T00:00Z", "2026-12-11T00:00Z", "2026-12-13T00:00Z"]],
    ["0 0 */10 * 1", "2026-11-01T00:00:00Z", ["2026-12-21T00:00Z"]],
    ["59 23 31 12 *", "2026-12-31T23:58:59.999Z", ["2026-12-31T23:59Z", "2027-12-31T23:59Z"]],
    ["* * * * *", "2026-12-31T23:59:00Z", ["2027-01-01T00:00Z", "2027-01-01T00:01Z"]],
  ])("goes through %s in UTC", (line, after, expected) => {
    expect(walk(line, "UTC", after, expected.length)).toEqual(expected);
  });

  // Europe/Berlin: 28 March 2027, 02:00 becomes 03:00 (01:00 UTC); 25 October 2026, 03:00 becomes 02:00 (01:00 UTC).
  // America/New_York: 14 March 2027, 02:00 becomes 03:00 (07:00 UTC); 1 November 2026, 02:00 becomes 01:00 (06:00 UTC).
  it.each([
    ["Europe/Berlin", "30 2 * * *", "2027-03-27T00:00:00Z", ["2027-03-27T01:30Z", "2027-03-28T01:00Z", "2027-03-29T00:30Z"]],
    ["Europe/Berlin", "15,45 2 * * *", "2027-03-27T12:00:00Z", ["2027-03-28T01:00Z", "2027-03-29T00:15Z"]],
    ["Europe/Berlin", "0 2,3,14 * * *", "2027-03-27T22:00:00Z", ["2027-03-28T01:00Z", "2027-03-28T12:00Z", "2027-03-29T00:00Z", "2027-03-29T01:00Z"]],
    ["Europe/Berlin", "0 0 28 3 *", "2027-01-01T00:00:00Z", ["2027-03-27T23:00Z", "2028-03-27T22:00Z"]],
    ["Europe/Berlin", "30 2 28 3 *", "2027-01-01T00:00:00Z", ["2027-03-28T01:00Z", "2028-03-28T00:30Z"]],
    ["America/New_York", "30 2 * * *", "2027-03-13T00:00:00Z", ["2027-03-13T07:30Z", "2027-03-14T07:00Z", "2027-03-15T06:30Z"]],
    ["America/Sao_Paulo", "0 0 * * *", "2018-11-03T12:00:00Z", ["2018-11-04T03:00Z", "2018-11-05T02:00Z"]],
    ["Pacific/Apia", "0 12 30 12 *", "2011-12-01T00:00:00Z", ["2011-12-30T10:00Z", "2012-12-29T22:00Z"]],
  ])("in %s makes %s up for a local time that is passed over, once, as the clocks do so", (timeZone, line, after, expected) => {
    expect(walk(line, timeZone, after, expected.length)).toEqual(expected);
  });

  it.each([
    ["Europe/Berlin", "30 2 * * *", "2026-10-24T12:00:00Z", ["2026-10-25T00:30Z", "2026-10-26T01:30Z"]],
    ["Europe/Berlin", "15,45 2 * * *", "2026-10-24T12:00:00Z", ["2026-10-25T00:15Z", "2026-10-25T00:45Z", "2026-10-26T01:15Z"]],
    ["Europe/Berlin", "0 2,3 * * *", "2026-10-24T12:00:00Z", ["2026-10-25T00:00Z", "2026-10-25T02:00Z", "2026-10-26T01:00Z"]],
    ["Europe/Berlin", "0 2 25 10 *", "2026-01-01T00:00:00Z", ["2026-10-25T00:00Z", "2027-10-25T00:00Z"]],
    ["America/New_York", "30 1 * * *", "2026-10-31T12:00:00Z", ["2026-11-01T05:30Z", "2026-11-02T06:30Z"]],
    ["America/New_York", "*/30 1 1 11 *", "2026-10-31T12:00:00Z", ["2026-11-01T05:00Z", "2026-11-01T05:30Z", "2027-11-01T05:00Z"]],
  ])("in %s takes %s once at a local time that is shown twice", (timeZone, line, after, expected) => {
    expect(walk(line, timeZone, after, expected.length)).toEqual(expected);
  });

  it.each([
    ["Europe/Berlin", "*/30 * * * *", "2027-03-28T00:00:00Z", ["2027-03-28T00:30Z", "2027-03-28T01:00Z", "2027-03-28T01:30Z", "2027-03-28T02:00Z"]],
    ["Europe/Berlin", "*/30 * * * *", "2026-10-24T23:59:00Z", ["2026-10-25T00:00Z", "2026-10-25T00:30Z", "2026-10-25T01:00Z", "2026-10-25T01:30Z", "2026-10-25T02:00Z"]],
    ["Europe/Berlin", "30 * 25 10 *", "2026-10-25T00:30:00Z", ["2026-10-25T01:30Z", "2026-10-25T02:30Z"]],
    ["Europe/Berlin", "0 * * 12 *", "2026-10-24T23:59:00Z", ["2026-11-30T23:00Z"]],
    ["Europe/Berlin", "0 * 25 10 *", "2026-10-25T22:00:00Z", ["2027-10-24T22:00Z"]],
    ["America/New_York", "15 * * * *", "2026-11-01T04:30:00Z", ["2026-11-01T05:15Z", "2026-11-01T06:15Z", "2026-11-01T07:15Z"]],
    ["America/New_York", "15 * * * *", "2027-03-14T05:30:00Z", ["2027-03-14T06:15Z", "2027-03-14T07:15Z"]],
    ["America/Sao_Paulo", "30 * 4 11 *", "2018-11-01T00:00:00Z", ["2018-11-04T03:30Z", "2018-11-04T04:30Z"]],
    ["America/Sao_Paulo", "30 * 17 2 *", "2018-02-18T01:00:00Z", ["2018-02-18T01:30Z", "2018-02-18T02:30Z", "2019-02-17T03:30Z"]],
  ])("in %s lets %s, which names no hour, go by time as it passes", (timeZone, line, after, expected) => {
    expect(walk(line, timeZone, after, expected.length)).toEqual(expected);
  });

  /** Every instant of a span at which a line is due, by looking at each minute's local time. */
  function dueByMinutes(line: string, timeZone: string, fromMs: number, toMs: number): number[] {
    const { minutes, hours, days, months, weekdays, eitherDay } = parseCron(line);
    const zone = zoneNamed(timeZone);
    const fits = (local: Date) => minutes.has(local.getUTCMinutes()) && hours.has(local.getUTCHours()) && months.has(local.getUTCMonth() + 1) &&
      (eitherDay ? days.has(local.getUTCDate()) || weekdays.has(local.getUTCDay()) : days.has(local.getUTCDate()) && weekdays.has(local.getUTCDay()));
    const byPassing = hours.size === 24;
    const due: number[] = [];
    let latestLocal = zone.localOf(fromMs - 60_000 * 300);
    for (let at = fromMs - 60_000 * 299; at <= toMs; at += 60_000) {
      const local = zone.localOf(at);
      let isDue = byPassing ? fits(new Date(local)) : false;
      // Local times are ticked off in order: those passed over all at once, those shown again not again.
      for (; !byPassing && latestLocal < local; latestLocal += 60_000) isDue ||= fits(new Date(latestLocal + 60_000));
      if (isDue && at > fromMs) due.push(at);
    }
    return due;
  }

  const zones = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Beirut", "Asia/Kathmandu", "Antarctica/Troll"];
  const shifts = ["2026-10-24T12:00Z", "2027-03-26T12:00Z", "2026-10-31T12:00Z", "2027-03-13T12:00Z", "2026-10-03T00:00Z", "2027-04-02T12:00Z", "2018-11-03T12:00Z", "2018-02-17T00:00Z"];
  it.each(zones.map((timeZone, index) => [timeZone, 20261128 + index] as const))("agrees in %s with a look at each minute, whatever the line and wherever it begins (seed %i)", (timeZone, seed) => {
    const random = seededRandom(seed);
    const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
    for (let round = 0; round < 8; round += 1) {
      const line = `${pick(["0", "*/20", "30", "*", "59", "5-10", "15,45"])} ${pick(["*", "*/2", "0", "2", "1,2,3", "0-5", "23", "*/1"])} ${pick(["*", "*", "*/2", "25,28"])} * ${pick(["*", "*", "sun", "1-6"])}`;
      const fromMs = Date.parse(pick(shifts)) + Math.floor(random() * 1440) * 60_000;
      const toMs = fromMs + 2 * 86_400_000;
      const found: number[] = [];
      for (let at = next(line, timeZone, fromMs); at <= toMs; at = next(line, timeZone, at)) found.push(at);
      const expected = dueByMinutes(line, timeZone, fromMs, toMs);
      expect(found.map((at) => new Date(at).toISOString()), `${line} from ${new Date(fromMs).toISOString()}, seed ${seed}`).toEqual(expected.map((at) => new Date(at).toISOString()));
      for (let probe = 0; probe < 10; probe += 1) {
        const after = fromMs + Math.floor(random() * (toMs - fromMs));
        const first = expected.find((at) => at > after);
        if (first !== undefined) expect(next(line, timeZone, after), `${line} after ${new Date(after).toISOString()}, seed ${seed}`).toBe(first);
      }
    }
  });
});
