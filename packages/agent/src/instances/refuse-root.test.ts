import { describe, expect, it } from "vitest";
import { testRevision } from "../testing/revision.ts";
import { isRoot, refuseRoot } from "./refuse-root.ts";

const status = (uid: number) => `Name:\thold\nUid:\t0\t${uid}\t0\t0\nGid:\t0\t0\t0\t0\n`;
const whole = "         0          0 4294967295\n";
const remapped = "         0     100000      65536\n";

describe("isRoot()", () => {
  it.each([
    [status(0), whole, true],
    [status(1001), whole, false],
    [status(100_000), remapped, true],
    [status(101_001), remapped, false],
    [status(100_000), whole, false],
    ["", "", false],
    [status(0), "", true],
  ])("%j in %j: %s", (text, map, expected) => {
    expect(isRoot(text, map)).toBe(expected);
  });
});

describe("refuseRoot()", () => {
  const address = { ip: "", gateway: "", pid: process.pid };

  it("asks nothing under profile standard, nor where the process is not to be seen", async () => {
    await refuseRoot(testRevision(), address);
    await refuseRoot(testRevision({ profile: "strict" }), { ...address, pid: 0 });
    await refuseRoot(testRevision({ profile: "strict" }), { ...address, pid: 2 ** 22 + 1 });
  });
});
