import { decodeJson, type FleetEvent, fleetEventSchema, type Frame, LongshoreError, type SocketOpen } from "@longshore/protocol";
import { backoffMs } from "./backoff.ts";
import { IncomingBody } from "./incoming-body.ts";
import { readError } from "./read-answer.ts";
import type { SocketExchange, SocketLink } from "./socket-link.ts";
import type { SocketKeeper } from "./socket-keeper.ts";
import { pause } from "./timer.ts";

const nothing = new Uint8Array(0);
const lineFeed = 10;

/**
 * Everything that happens in a fleet, from every agent as it stands on. When the connection breaks it begins again, with every agent
 * as it stands by then, and tries for as long as that takes; it ends with the signal, or an error that will not pass. Only at the
 * beginning does a broker that cannot be reached end it.
 */
export async function* watchFleet(keeper: SocketKeeper, connectTimeoutMs: number, signal: AbortSignal | undefined): AsyncGenerator<FleetEvent, void> {
  let hasBegun = false;
  for (let failures = 0; ; ) {
    try {
      if (signal?.aborted === true) return;
      const link = keeper.current ?? (await keeper.link(connectTimeoutMs, signal));
      for await (const event of eventsOf(link, signal)) {
        hasBegun = true;
        failures = 0;
        yield event;
      }
      return;
    } catch (error) {
      if (signal?.aborted === true) return;
      if (keeper.isClosed || !hasBegun || !mayPass(error)) throw error;
      failures += 1;
      await pause(backoffMs(failures), signal);
    }
  }
}

const mayPass = (error: unknown): boolean => error instanceof LongshoreError && error.code === "unavailable";

async function* eventsOf(link: SocketLink, signal: AbortSignal | undefined): AsyncGenerator<FleetEvent, void> {
  const exchange = new WatchExchange(link);
  const onAbort = () => exchange.cancel();
  signal?.addEventListener("abort", onAbort);
  try {
    for await (const line of linesOf(exchange.body)) {
      if (signal?.aborted === true) return;
      const event = fleetEventSchema.safeParse(decodeJson(line));
      if (event.success) yield event.data; // An event that this build does not know is none of its business.
    }
  } finally {
    signal?.removeEventListener("abort", onAbort);
    exchange.cancel();
  }
}

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const reader = body.getReader(); // Not every browser iterates over a stream.
  let rest: Uint8Array = nothing;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const bytes = rest.length === 0 ? value : joined(rest, value);
    let from = 0;
    for (let at = bytes.indexOf(lineFeed); at !== -1; at = bytes.indexOf(lineFeed, from)) {
      yield bytes.subarray(from, at);
      from = at + 1;
    }
    rest = bytes.subarray(from);
  }
}

class WatchExchange implements SocketExchange {
  readonly #link: SocketLink;
  readonly #stream: number;
  readonly #incoming: IncomingBody;
  #isOver = false;

  constructor(link: SocketLink) {
    this.#link = link;
    this.#incoming = new IncomingBody((credit) => link.send(this.#stream, credit), () => this.cancel());
    this.#stream = link.open(this, { what: "watch" } satisfies SocketOpen, nothing);
  }

  get body(): ReadableStream<Uint8Array> {
    return this.#incoming.stream;
  }

  /** Wants no more; what came is still read. Idempotent. */
  cancel(): void {
    if (this.#isOver) return;
    this.#link.send(this.#stream, { kind: "cancel", head: { reason: "requested" } });
    this.#over();
    this.#incoming.end();
  }

  frame(frame: Frame): void {
    if (frame.kind === "data") return this.#incoming.receive(frame.sequence, frame.body);
    if (frame.kind === "error") return this.fail(readError(frame.head));
    if (frame.kind !== "end") return;
    this.#over();
    this.#incoming.end();
  }

  fail(error: LongshoreError): void {
    if (this.#isOver) return;
    this.#over();
    this.#incoming.fail(error);
  }

  #over(): void {
    this.#isOver = true;
    this.#link.finish(this.#stream);
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}
