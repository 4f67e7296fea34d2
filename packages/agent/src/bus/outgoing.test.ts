import type { NatsConnection } from "@nats-io/nats-core";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { Outgoing } from "./outgoing.ts";

/** A connection whose confirmations a test gives. */
class FakeLink {
  readonly published: string[] = [];
  readonly #asked: (() => void)[] = [];

  publish(subject: string): void {
    this.published.push(subject);
  }

  flush(): Promise<void> {
    return new Promise((resolve) => this.#asked.push(resolve));
  }

  isClosed(): boolean {
    return false;
  }

  /** Answers the oldest question. */
  async confirm(): Promise<void> {
    while (this.#asked.length === 0) await new Promise(setImmediate);
    this.#asked.shift()?.();
    await new Promise(setImmediate);
  }

  get asConnection(): NatsConnection {
    return this as unknown as NatsConnection;
  }
}

const publication = (subject: string, confirmed?: () => void) => ({ subject, reply: "r", payload: new Uint8Array(10), ...(confirmed !== undefined && { confirmed }) });
const create = () => new Outgoing(pino({ level: "silent" }));

describe("what an agent publishes", () => {
  it("goes out when the turn of the event loop ends, all of a turn together", async () => {
    const outgoing = create();
    const link = new FakeLink();
    outgoing.linkChanged(link.asConnection);
    outgoing.send(publication("a"));
    await Promise.resolve();
    outgoing.send(publication("b"));
    expect(link.published).toEqual([]);
    await new Promise(setImmediate);
    expect(link.published).toEqual(["a", "b"]);
    outgoing.close();
  });

  it("goes out once, and is sent again on the next link unless the server confirmed it", async () => {
    const outgoing = create();
    const [first, second] = [new FakeLink(), new FakeLink()];
    outgoing.linkChanged(first.asConnection);
    outgoing.send(publication("a"));
    await first.confirm();
    outgoing.send(publication("b"));
    outgoing.send(publication("c"));
    await new Promise(setImmediate);
    expect(first.published).toEqual(["a", "b", "c"]);
    outgoing.linkChanged(undefined);
    outgoing.send(publication("d"));
    outgoing.linkChanged(second.asConnection);
    expect(second.published).toEqual(["b", "c", "d"]);
    outgoing.close();
  });

  it("is confirmed in order, only by an answer to what was asked after it", async () => {
    const outgoing = create();
    const link = new FakeLink();
    const confirmed: string[] = [];
    outgoing.linkChanged(link.asConnection);
    outgoing.send(publication("a", () => confirmed.push("a")));
    outgoing.send(publication("b", () => confirmed.push("b")));
    const confirming = link.confirm();
    await confirming;
    expect(confirmed).toEqual(["a", "b"]);
    outgoing.send(publication("c", () => confirmed.push("c")));
    expect(confirmed).toEqual(["a", "b"]);
    await link.confirm();
    expect(confirmed).toEqual(["a", "b", "c"]);
    outgoing.close();
  });

  it("is flushed when everything is confirmed, and at once where there is no link", async () => {
    const outgoing = create();
    const link = new FakeLink();
    outgoing.send(publication("a"));
    await outgoing.flush();
    outgoing.linkChanged(link.asConnection);
    const flushed = outgoing.flush();
    await link.confirm();
    await flushed;
    outgoing.close();
  });

  it("is bounded while nothing takes it: what is beyond the bound is dropped, what was before stays", () => {
    const outgoing = create();
    const large = { subject: "large", reply: "r", payload: new Uint8Array(16 * 1024 * 1024) };
    for (let count = 0; count < 5; count += 1) outgoing.send(large);
    const link = new FakeLink();
    outgoing.linkChanged(link.asConnection);
    expect(link.published).toEqual(["large", "large", "large", "large"]);
    outgoing.close();
  });
});
