import type { Msg } from "@nats-io/nats-core";
import { describe, expect, it } from "vitest";
import { BatchWriter, type Write } from "./batch-writer.ts";

/** A server that answers when it is told to. */
class SlowServer {
  nowMs = 0;
  readonly written: string[] = [];
  readonly #answers: (() => void)[] = [];

  publish = (subject: string) => void this.written.push(subject);

  request = (subject: string): Promise<Msg> => {
    this.written.push(subject);
    const sequence = this.written.length;
    return new Promise((resolve) => this.#answers.push(() => resolve({ json: () => ({ seq: sequence }) } as Msg)));
  };

  answer(): void {
    for (const answer of this.#answers.splice(0)) answer();
  }
}

const writeOf = (subject: string, waitsAtMostMs?: number): Write => ({ subject, unit: subject, headers: [], payload: new Uint8Array(0), ...(waitsAtMostMs !== undefined && { waitsAtMostMs }) });
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("a batch writer", () => {
  it("never sends what has waited longer for its turn than it was to, and says so; what waits as long as it takes is sent", async () => {
    const server = new SlowServer();
    const writer = new BatchWriter(server, () => server.nowMs);
    const first = writer.write(writeOf("first", 5));
    await turn();
    const late = writer.write(writeOf("late", 5));
    const patient = writer.write(writeOf("patient"));
    server.nowMs = 3;
    const inTime = writer.write(writeOf("in time", 5));
    const outcome = expect(late).rejects.toThrow(expect.objectContaining({ reason: "bus_down", retryAfterMs: 1_000 }));
    server.nowMs = 6;
    server.answer();
    await outcome;
    expect(await first).toBe(1);
    await turn();
    server.answer();
    expect(await Promise.all([patient, inTime])).toEqual([2, 3]);
    expect(server.written).toEqual(["first", "patient", "in time"]);
  });

  it("goes on after all that waited was late", async () => {
    const server = new SlowServer();
    const writer = new BatchWriter(server, () => server.nowMs);
    const first = writer.write(writeOf("first"));
    await turn();
    const late = expect(writer.write(writeOf("late", 5))).rejects.toThrow("Nothing was written");
    server.nowMs = 6;
    server.answer();
    await Promise.all([first, late]);
    await turn();
    const next = writer.write(writeOf("next", 5));
    await turn();
    server.answer();
    expect(await next).toBe(2);
  });
});
