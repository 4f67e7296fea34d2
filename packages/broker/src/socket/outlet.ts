import type { Link } from "./link.ts";

/** Something with body bytes to send that waits for room in the socket. */
export interface Waiting {
  /** Send, for as long as {@link Outlet.hasRoom}; wait again for the rest. */
  roomAgain(): void;
}

/**
 * The room in one socket's send buffer, shared out among its exchanges: bodies wait at their source while it is full, so that a
 * small answer never stands behind megabytes, and whoever has waited longest goes first.
 */
export class Outlet {
  readonly #link: Link;
  readonly #congestedBytes: number;
  readonly #waiting = new Set<Waiting>();
  #drainCount = 0;

  constructor(link: Link, congestedBytes: number) {
    this.#link = link;
    this.#congestedBytes = congestedBytes;
  }

  /** True while a body may send. */
  get hasRoom(): boolean {
    return this.#link.bufferedBytes < this.#congestedBytes;
  }

  /** How often the buffer has emptied: tells a slow reader from one that takes nothing. */
  get drainCount(): number {
    return this.#drainCount;
  }

  /** Calls `roomAgain` once, when there is room. */
  wait(waiting: Waiting): void {
    this.#waiting.add(waiting);
  }

  forget(waiting: Waiting): void {
    this.#waiting.delete(waiting);
  }

  /** The link's buffer has emptied. */
  drained(): void {
    this.#drainCount += 1;
    for (const waiting of [...this.#waiting]) {
      if (!this.hasRoom) return;
      this.#waiting.delete(waiting);
      waiting.roomAgain();
    }
  }
}
