import { describe, expect, it } from "vitest";
import { parseCron } from "./cron.ts";

const sorted = (numbers: ReadonlySet<number>) => [...numbers].sort((a, b) => a - b);

describe("parseCron()", () => {
  it("reads numbers, ranges, steps, lists and names", () => {
    const line = parseCron(" 0,30  */6 1-10/3 jan,JUN 1-5 ");
    expect([line.minutes, line.hours, line.days, line.months, line.weekdays].map(sorted)).toEqual([[0, 30], [0, 6, 12, 18], [1, 4, 7, 10], [1, 6], [1, 2, 3, 4, 5]]);
    expect(sorted(parseCron("50/5 * * * *").minutes)).toEqual([50, 55]);
    expect(sorted(parseCron("* * * * *").weekdays)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it.each([["7", [0]], ["0", [0]], ["sun", [0]], ["fri-7", [0, 5, 6]], ["0-7", [0, 1, 2, 3, 4, 5, 6]]])("takes Sunday as 0 and 7: %s", (weekday, expected) => {
    expect(sorted(parseCron(`0 0 * * ${weekday}`).weekdays)).toEqual(expected);
  });

  it.each([["0 0 1 * 1", true], ["0 0 * * 1", false], ["0 0 1 * *", false], ["0 0 */2 * 1", false]])("lets either day do only where both are named: %s", (line, expected) => {
    expect(parseCron(line).eitherDay).toBe(expected);
  });

  it.each([
    ["60 * * * *", "minute"],
    ["* 24 * * *", "hour"],
    ["* * 0 * *", "day"],
    ["* * 32 * *", "day"],
    ["* * * 13 *", "month"],
    ["* * * foo *", "month"],
    ["* * * * 8", "weekday"],
    ["*/0 * * * *", "minute"],
    ["5-1 * * * *", "minute"],
    ["1,,2 * * * *", "minute"],
    ["-1 * * * *", "minute"],
    ["1.5 * * * *", "minute"],
    ["* *;rm * * *", "hour"],
    ["* * * * mon-", "weekday"],
    ["* * * * __proto__", "weekday"],
  ])("refuses %s, naming the %s", (line, part) => {
    expect(() => parseCron(line)).toThrow(expect.objectContaining({ reason: "bad_schema", field: "cron", message: expect.stringContaining(`its ${part} `) as string }));
  });

  it.each(["", "* * * *", "* * * * * *", "@daily", "2027-01-01T00:00:00", `${"0,".repeat(500)}0 * * * *`])("refuses what has not five parts: %s", (line) => {
    expect(() => parseCron(line)).toThrow(expect.objectContaining({ field: "cron", message: expect.stringContaining("five parts") as string }));
  });

  it.each(["0 0 31 2 *", "0 0 30 feb *", "0 0 31 4,6,9,11 *"])("refuses %s: no day ever fits", (line) => {
    expect(() => parseCron(line)).toThrow(expect.objectContaining({ field: "cron" }));
  });

  it.each(["0 0 29 2 *", "0 0 31 2,3 *", "0 0 31 2 1"])("takes %s: some day fits", (line) => {
    expect(() => parseCron(line)).not.toThrow();
  });
});
