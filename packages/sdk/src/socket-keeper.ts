import { LongshoreError } from "@longshore/protocol";
import { backoffMs } from "./backoff.ts";
import type { ResolvedOptions } from "./options.ts";
import { SocketLink, type SocketOwner } from "./socket-link.ts";
import type { WebSocketConstructor } from "./web-socket.ts";

/** Somebody who waits for a socket. */
interface Waiter {
  readonly take: (link: SocketLink) => void;
  readonly refuse: (error: Error) => void;
}

/**
 * The sockets of a fleet's client: one, opened when it is needed and again when it broke; a further one where the broker of the first
 * is draining, or the first is full.
 *
 * Invariants: K1 at most one socket is being opened, for all who wait. K2 who waits is settled once: by a socket, by what the broker
 * said, by its time, its signal, or `close()`. K3 a failed attempt is followed by another only while somebody waits.
 */
export class SocketKeeper implements SocketOwner {
  readonly #options: ResolvedOptions;
  readonly #WebSocket: WebSocketConstructor;
  readonly #links = new Set<SocketLink>();
  readonly #waiting = new Set<Waiter>();
  #current: SocketLink | undefined;
  #opening: SocketLink | undefined;
  #pause: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #lastFailure: LongshoreError | undefined;
  #isClosed = false;

  constructor(options: ResolvedOptions, WebSocketOf: WebSocketConstructor) {
    this.#options = options;
    this.#WebSocket = WebSocketOf;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** A socket on which exchanges may begin, where one is open. */
  get current(): SocketLink | undefined {
    if (this.#current?.isUsable !== true) this.#current = [...this.#links].find(({ isUsable }) => isUsable);
    return this.#current;
  }

  /** Such a socket, tried for again and again for at most that long. Rejects with `connection_lost`, what the broker said, or the signal's reason. */
  link(withinMs: number, signal?: AbortSignal): Promise<SocketLink> {
    if (this.#isClosed) return Promise.reject(clientClosed());
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    return new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
        this.#waiting.delete(waiter);
        if (this.#waiting.size === 0) this.#endPause(); // K3
      };
      const waiter: Waiter = {
        take(link) {
          leave();
          resolve(link);
        },
        refuse(error) {
          leave();
          reject(error);
        },
      };
      const onAbort = () => waiter.refuse(signal?.reason as Error);
      const timer = setTimeout(() => waiter.refuse(this.#lastFailure ?? unreachable(this.#options.url)), withinMs);
      signal?.addEventListener("abort", onAbort);
      this.#waiting.add(waiter);
      this.#open();
    });
  }

  /** Closes every socket; who waits, and what is under way, fails. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const link of [...this.#links, ...(this.#opening === undefined ? [] : [this.#opening])]) link.close(clientClosed().at("execution"));
    for (const waiter of [...this.#waiting]) waiter.refuse(clientClosed());
  }

  welcomed(link: SocketLink): void {
    this.#opening = undefined;
    this.#failures = 0;
    this.#lastFailure = undefined;
    this.#links.add(link);
    this.#current = link;
    for (const waiter of [...this.#waiting]) waiter.take(link);
  }

  closed(link: SocketLink, error: LongshoreError): void {
    this.#links.delete(link);
    if (link === this.#opening) this.#failed(error);
  }

  #open(): void {
    if (this.#opening !== undefined || this.#pause !== undefined) return; // K1
    try {
      this.#opening = new SocketLink(this.#options, this.#WebSocket, this);
    } catch (error) {
      this.#failed(LongshoreError.from(error, `Cannot open a WebSocket to ${this.#options.url}`));
    }
  }

  #failed(error: LongshoreError): void {
    this.#opening = undefined;
    this.#failures += 1;
    this.#lastFailure = error;
    if (error.code !== "unavailable") {
      for (const waiter of [...this.#waiting]) waiter.refuse(error);
    } else if (this.#waiting.size > 0) {
      this.#pause = setTimeout(() => {
        this.#pause = undefined;
        this.#open();
      }, backoffMs(this.#failures));
    }
  }

  #endPause(): void {
    clearTimeout(this.#pause);
    this.#pause = undefined;
  }
}

function unreachable(url: string): LongshoreError {
  return new LongshoreError("connection_lost", `Cannot reach a broker at ${url} in time`, { phase: "admission" });
}

function clientClosed(): LongshoreError {
  return new LongshoreError("connection_lost", "The fleet's client was closed");
}
