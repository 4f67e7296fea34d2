import { describe, expect, it } from "vitest";
import type { LocalParts, RestoreSummary } from "../local/parts.ts";
import { runLine } from "../testing/run-line.ts";

const refuse = (): never => {
  throw new Error("not here");
};
const parts = (given: Partial<LocalParts>): LocalParts => ({ startBroker: refuse, joinedAs: refuse, joinHost: refuse, startAgent: refuse, backUp: refuse, restore: refuse, ...given });

const backedUp = { file: "fleet.tar", createdAt: "2026-11-28T12:00:00.000Z", streams: 9, messages: 40, sizeBytes: 2048, sealKeyFile: undefined };
const restored: RestoreSummary = { file: "fleet.tar", createdAt: "2026-11-28T12:00:00.000Z", streams: 9, messages: 39, expired: 0, replacedFolder: undefined, agentsMustJoinAgain: false };

describe("longshore backup", () => {
  it("backs up the fleet of the folder that is named, and says what is in the file", async () => {
    const given: unknown[] = [];
    const localParts = parts({ backUp: async (...all) => (given.push(all), backedUp) });
    const environment = { LONGSHORE_DATA: "/srv/fleet" };
    const { stdout, stderr } = await runLine(["backup", "fleet.tar"], { localParts, environment });
    expect(given).toEqual([["fleet.tar", { dataFolder: "/srv/fleet/broker", configFile: undefined, environment }]]);
    expect(stdout).toBe("Backed up 40 messages of 9 streams to fleet.tar, 2KiB\n");
    expect(stderr).toContain("Keep it secret");
    expect(JSON.parse((await runLine(["backup", "fleet.tar", "--json"], { localParts })).stdout)).toMatchObject({ messages: 40 });
  });

  it("says which key is not in it", async () => {
    const { stderr } = await runLine(["backup", "fleet.tar"], { localParts: parts({ backUp: async () => ({ ...backedUp, sealKeyFile: "/etc/seal.key" }) }) });
    expect(stderr).toContain("Keep /etc/seal.key elsewhere");
  });
});

describe("longshore restore", () => {
  it("replaces a fleet only when that is said", async () => {
    const given: boolean[] = [];
    const localParts = parts({ restore: async (_file, replace) => (given.push(replace), restored) });
    expect((await runLine(["restore", "fleet.tar"], { localParts })).stdout).toBe("Restored 39 messages of 9 streams: the fleet is as it was at 2026-11-28T12:00:00.000Z\n");
    await runLine(["restore", "--replace", "fleet.tar"], { localParts });
    expect(given).toEqual([false, true]);
  });

  it("says what was left out, what was set aside, and that hosts have to join again", async () => {
    const localParts = parts({ restore: async () => ({ ...restored, expired: 1, replacedFolder: "/data/replaced-1", agentsMustJoinAgain: true }) });
    const { stderr } = await runLine(["restore", "fleet.tar"], { localParts });
    for (const part of ["1 messages were left out", "/data/replaced-1", "every host has to join again"]) expect(stderr).toContain(part);
  });
});
