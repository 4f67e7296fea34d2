import { describe, expect, it } from "vitest";
import type { MessageHeader } from "../bus/stored-message.ts";
import { StandingMessages } from "./standing-messages.ts";

interface Read {
  readonly subject: string;
  readonly headers?: readonly MessageHeader[];
}

/** The sequences that stand after these were read, one after another from 1. */
function standing(read: readonly Read[], keptPerSubject = 1): number[] {
  const messages = new StandingMessages({ max_msgs_per_subject: keptPerSubject });
  const numbered = read.map(({ subject, headers = [] }, index) => ({ subject, headers, sequence: index + 1 }));
  for (const message of numbered) messages.read(message);
  return numbered.filter((message) => messages.stands(message)).map(({ sequence }) => sequence);
}

const ends = (schedule: string): MessageHeader[] => [["Nats-Scheduler", schedule], ["Nats-Schedule-Next", "purge"]];

describe("StandingMessages", () => {
  it("are the last of each subject, where one is kept", () => {
    expect(standing([{ subject: "a" }, { subject: "b" }, { subject: "a" }])).toEqual([2, 3]);
    expect(standing([{ subject: "a" }, { subject: "a" }], 5)).toEqual([1, 2]);
  });

  it("leave out an entry whose record was read, and an earlier form of it", () => {
    expect(standing([{ subject: "entry.1" }, { subject: "entry.2" }, { subject: "entry.1" }, { subject: "record.1", headers: ends("entry.1") }])).toEqual([2, 4]);
  });

  it("keep an entry whose schedule comes again", () => {
    expect(standing([{ subject: "entry.1" }, { subject: "tick", headers: [["Nats-Scheduler", "entry.1"], ["Nats-Schedule-Next", "2026-11-28T13:00:00Z"]] }])).toEqual([1, 2]);
  });
});
