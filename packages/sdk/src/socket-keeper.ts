import { LongshoreError } from "@longshore/protocol";
import { backoffMs } from "./backoff.ts";
import type { ResolvedOptions } from "./options.ts";
import { SocketLink } from "./socket-link.ts";
import { setQuietTimeout } from "./timer.ts";
import type { WebSocketConstructor } from "./web-socket.ts";

/** The one socket of a fleet's client: opened when needed, opened again when it broke, closed when nobody needs it. */
export class SocketKeeper {
  readonly #options: ResolvedOptions;
  readonly #WebSocket: WebSocketConstructor;
  #link: SocketLink | undefined;
  #opening: Promise<SocketLink> | undefined;
  #failures = 0;
  #idle: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(options: ResolvedOptions, WebSocketOf: WebSocketConstructor) {
    this.#options = options;
    this.#WebSocket = WebSocketOf;
  }

  /** The socket, where one is open. */
  get current(): SocketLink | undefined {
    return this.#link?.isUsable === true ? this.#link : undefined;
  }

  /** A socket, tried for again and again for at most that long. Rejects with `connection_lost`, or what the broker said to the key. */
  async link(withinMs: number, signal?: AbortSignal): Promise<SocketLink> {
    const giveUpAt = performance.now() + withinMs;
    for (;;) {
      if (this.#isClosed) throw new LongshoreError("connection_lost", "Cannot call: the fleet's client was closed");
      signal?.throwIfAborted();
      const link = this.current;
      if (link !== undefined) return link;
      try {
        return await raceAbort(this.#open(), signal);
      } catch (error) {
        const isFinal = !(error instanceof LongshoreError) || error.reason !== "connection_lost";
        const waitMs = backoffMs(this.#failures);
        if (isFinal || performance.now() + waitMs >= giveUpAt) throw error;
        await raceAbort(new Promise<void>((resolve) => setTimeout(resolve, waitMs)), signal);
      }
    }
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#idle);
    this.#link?.close(new LongshoreError("connection_lost", "The fleet's client was closed"));
  }

  /** One attempt, shared by all who wait. */
  #open(): Promise<SocketLink> {
    this.#opening ??= SocketLink.open(this.#options, this.#WebSocket, () => this.#closeLater())
      .then(
        (link) => {
          this.#failures = 0;
          this.#link = link;
          if (this.#isClosed) this.close();
          else this.#closeLater(); // Whoever wanted it may have given up.
          return link;
        },
        (error: unknown) => {
          this.#failures += 1;
          throw error;
        },
      )
      .finally(() => {
        this.#opening = undefined;
      });
    return this.#opening;
  }

  /** An open socket keeps a program alive: one without work is closed after a while. */
  #closeLater(): void {
    this.#idle ??= setQuietTimeout(() => {
      this.#idle = undefined;
      if (this.#link?.isIdle !== true) return;
      this.#link.close();
      this.#link = undefined;
    }, this.#options.idleMs);
  }
}

/** The same, unless the signal aborts first. */
function raceAbort<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
