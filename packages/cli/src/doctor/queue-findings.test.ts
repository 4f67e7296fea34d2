import type { QueueView } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { judgeQueue } from "./queue-findings.ts";

const agent = { siteId: "plant", agentId: "a1", heard: true, revoked: false, believed: 2, running: 1, waiting: 1, missing: 0, unknown: 0, unreadable: 0 };
const queue: QueueView = {
  waiting: 1, delayed: 2, withAgents: 2, overdue: 0, deadLetters: 0, partitions: 32,
  oldestWaiting: { invocationId: "i1", functionName: "resize", sinceMs: 5_000, why: "No agent that may run it has room" },
  brokers: [{ brokerId: "b1", partitions: 20, queued: 3, unconfirmed: 0, unreadable: 0 }, { brokerId: "b2", partitions: 12, queued: 2, unconfirmed: 0, unreadable: 0 }],
  agents: [agent],
};
const of = (changes: Partial<QueueView> | string) => judgeQueue(typeof changes === "string" ? changes : { ...queue, ...changes });
const statuses = (changes: Partial<QueueView> | string) => of(changes).filter(({ status }) => status !== "ok").map(({ name, status }) => `${name} ${status}`);
const [broker] = queue.brokers;

describe("accepted work", () => {
  it("that is as it should be is told as such", () => {
    expect(statuses({})).toEqual([]);
    expect(of({}).map(({ name, found }) => `${name}: ${found}`)).toEqual([
      "queue: 1 waiting, 2 not due yet, 2 with agents",
      "oldest: i1 of resize for 5s: No agent that may run it has room",
      "partitions: b1 tries 20, b2 tries 12",
      "agent a1: 2 attempts believed there; it has 1 running, 1 ended and not yet stored",
    ]);
  });

  it.each<[Partial<QueueView> | string, string]>([
    ["nothing listens there", "queue warn"],
    [{ oldestWaiting: { invocationId: "i1", functionName: "resize", sinceMs: 60_000, why: "w" } }, "oldest warn"],
    [{ overdue: 1 }, "overdue warn"],
    [{ brokers: broker === undefined ? [] : [broker] }, "partitions warn"],
    [{ brokers: queue.brokers.map((each) => ({ ...each, unreadable: 1 })) }, "unreadable warn"],
    [{ agents: [{ ...agent, heard: false, revoked: true }] }, "agent a1 warn"],
    [{ agents: [{ ...agent, heard: false }] }, "agent a1 warn"],
    [{ agents: [{ ...agent, running: undefined, waiting: undefined }] }, "agent a1 warn"],
    [{ agents: [{ ...agent, missing: 1 }] }, "agent a1 warn"],
    [{ agents: [{ ...agent, unknown: 1 }] }, "agent a1 warn"],
    [{ agents: [{ ...agent, unreadable: 1 }] }, "agent a1 warn"],
  ])("of which %j is found, with a way to mend it", (changes, found) => {
    expect(statuses(changes)).toEqual([found]);
    expect(of(changes).filter(({ status, mend }) => status !== "ok" && mend === undefined)).toEqual([]);
  });

  it("that agents have nothing of is not told agent by agent", () => {
    expect(of({ agents: [{ ...agent, believed: 0, running: 0, waiting: 0 }, { ...agent, heard: false, believed: 0, running: undefined, waiting: undefined }] }).some(({ name }) => name.startsWith("agent"))).toBe(false);
  });
});
