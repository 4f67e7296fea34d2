import { describe, expect, it } from "vitest";
import { Inbox } from "./inbox.ts";
import type { Link } from "./link.ts";

/** An inbox over a link that notes when it is paused. */
function open() {
  const delivered: number[] = [];
  const told: string[] = [];
  const link = { pause: () => told.push("pause"), resume: () => told.push("resume") } as unknown as Link;
  const inbox = new Inbox(link, (message) => delivered.push(message.length));
  return { delivered, told, inbox };
}

const message = (length: number) => new Uint8Array(length);
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("an inbox", () => {
  it("holds messages for as long as there is a reason, and keeps their order", () => {
    const { inbox, delivered, told } = open();
    inbox.receive(message(1));
    inbox.hold("caller");
    inbox.hold("full");
    inbox.receive(message(2));
    inbox.receive(message(3));
    inbox.release("caller");
    expect(delivered).toEqual([1]);
    inbox.release("full");
    inbox.release("full");
    expect(delivered).toEqual([1, 2, 3]);
    expect(told).toEqual(["pause", "resume"]);
  });

  it("gives the others a turn after a number of messages", async () => {
    const { inbox, delivered, told } = open();
    for (let index = 1; index <= 600; index++) inbox.receive(message(index));
    expect(delivered).toHaveLength(256);
    await turn();
    expect(delivered).toHaveLength(512);
    await turn();
    expect(delivered).toEqual(Array.from({ length: 600 }, (_, index) => index + 1));
    expect(told.at(-1)).toBe("resume");
  });

  it("holds what waits when a message it delivers asks for it", () => {
    const delivered: number[] = [];
    const inbox: Inbox = new Inbox({ pause: () => undefined, resume: () => undefined } as unknown as Link, ({ length }) => {
      delivered.push(length);
      if (length === 2) inbox.hold("full");
    });
    inbox.hold("caller");
    for (const length of [1, 2, 3]) inbox.receive(message(length));
    inbox.release("caller");
    expect(delivered).toEqual([1, 2]);
    inbox.release("full");
    expect(delivered).toEqual([1, 2, 3]);
  });

  it("drops what waits when the socket is closed", () => {
    const { inbox, delivered } = open();
    inbox.hold("caller");
    inbox.receive(message(1));
    inbox.clear();
    inbox.release("caller");
    expect(delivered).toEqual([]);
  });
});
