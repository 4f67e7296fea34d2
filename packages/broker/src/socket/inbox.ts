import type { Link } from "./link.ts";

/**
 * Why nothing is read for now: `caller`, it is being found out who calls; `turn`, others have theirs; `full`, the send buffer is,
 * and more work would only add to it.
 */
export type HoldReason = "caller" | "turn" | "full";

/** After that many messages a socket lets the rest of the process have a turn. */
const turnMessages = 256;

/**
 * The messages of one socket on their way in. While there is a reason to hold them, nothing further is read; what had been read
 * already (part of one buffer) waits here, in order.
 */
export class Inbox {
  readonly #link: Link;
  readonly #deliver: (message: Uint8Array) => void;
  readonly #reasons = new Set<HoldReason>();
  #held: Uint8Array[] = [];
  #inTurn = 0;

  constructor(link: Link, deliver: (message: Uint8Array) => void) {
    this.#link = link;
    this.#deliver = deliver;
  }

  /** Delivers a message, now or when its time has come. */
  receive(message: Uint8Array): void {
    if (this.#reasons.size > 0 || this.#held.length > 0) this.#held.push(message);
    else this.#take(message);
  }

  isHeldFor(reason: HoldReason): boolean {
    return this.#reasons.has(reason);
  }

  /** Holds messages until {@link release}. */
  hold(reason: HoldReason): void {
    if (this.#reasons.size === 0) this.#link.pause();
    this.#reasons.add(reason);
  }

  /** Takes back a reason; with the last one, what waits is delivered and reading goes on. */
  release(reason: HoldReason): void {
    if (!this.#reasons.delete(reason) || this.#reasons.size > 0) return;
    const held = this.#held;
    this.#held = [];
    let taken = 0;
    while (taken < held.length && this.#reasons.size === 0) this.#take(held[taken++] as Uint8Array);
    this.#held = [...held.slice(taken), ...this.#held];
    if (this.#reasons.size === 0) this.#link.resume();
  }

  /** Drops what waits: the socket is closed. */
  clear(): void {
    this.#held = [];
  }

  #take(message: Uint8Array): void {
    this.#deliver(message);
    this.#inTurn += 1;
    if (this.#inTurn < turnMessages) return;
    this.#inTurn = 0;
    this.hold("turn");
    setImmediate(() => this.release("turn"));
  }
}
