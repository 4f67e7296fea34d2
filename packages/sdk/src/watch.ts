import { BodyReader, decodeJson, errorShape, type FleetEvent, fleetEventSchema, type Frame, LongshoreError, type SocketOpen } from "@longshore/protocol";
import { backoffMs } from "./backoff.ts";
import { BodySource } from "./body-source.ts";
import type { SocketExchange, SocketLink } from "./socket-link.ts";
import type { SocketKeeper } from "./socket-keeper.ts";

const nothing = new Uint8Array(0);
const lineFeed = 10;

/**
 * Everything that happens in a fleet, from every agent as it stands on. When the connection breaks it begins again, with every agent
 * as it stands by then; ends with the signal, or an error that will not pass.
 */
export async function* watchFleet(keeper: SocketKeeper, connectTimeoutMs: number, signal: AbortSignal | undefined): AsyncGenerator<FleetEvent, void> {
  for (let failures = 0; ; failures += 1) {
    try {
      const link = keeper.current ?? (await keeper.link(connectTimeoutMs, signal));
      for await (const event of eventsOf(link, signal)) {
        failures = 0;
        yield event;
      }
      return;
    } catch (error) {
      if (signal?.aborted === true) return;
      const mayPass = error instanceof LongshoreError && (error.reason === "connection_lost" || error.reason === "broker_draining");
      if (!mayPass || failures > 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, backoffMs(failures)));
    }
  }
}

async function* eventsOf(link: SocketLink, signal: AbortSignal | undefined): AsyncGenerator<FleetEvent, void> {
  const exchange = new WatchExchange(link);
  const onAbort = () => exchange.cancel();
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    let rest: Uint8Array = nothing;
    for await (const part of exchange.lines) {
      const bytes = rest.length === 0 ? part : joined(rest, part);
      let from = 0;
      for (let at = bytes.indexOf(lineFeed); at !== -1; at = bytes.indexOf(lineFeed, from)) {
        // An event that this build does not know is none of its business.
        const event = fleetEventSchema.safeParse(decodeJson(bytes.subarray(from, at)));
        from = at + 1;
        if (event.success) yield event.data;
      }
      rest = bytes.subarray(from);
    }
  } finally {
    signal?.removeEventListener("abort", onAbort);
    exchange.cancel();
  }
}

class WatchExchange implements SocketExchange {
  readonly #link: SocketLink;
  readonly #stream: number;
  readonly #reader: BodyReader;
  readonly #source: BodySource;
  #isOver = false;

  constructor(link: SocketLink) {
    this.#link = link;
    this.#reader = new BodyReader((bytes) => link.send(this.#stream, { kind: "credit", bytes }));
    this.#source = new BodySource(
      (byteLength) => this.#reader.consumed(byteLength),
      () => this.cancel(),
    );
    this.#stream = link.open(this, { what: "watch" } satisfies SocketOpen, nothing);
  }

  get lines(): ReadableStream<Uint8Array> {
    return this.#source.stream;
  }

  cancel(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#link.send(this.#stream, { kind: "cancel", head: { reason: "requested" } });
    this.#link.finish(this.#stream);
    this.#source.end();
  }

  frame(frame: Frame): void {
    if (this.#isOver) return;
    if (frame.kind === "data") {
      this.#reader.receive(frame.sequence, frame.body.length);
      this.#source.push(frame.body);
    } else if (frame.kind === "error") {
      this.lost(LongshoreError.fromShape(errorShape.parse(frame.head)));
    } else if (frame.kind === "end") {
      this.#over();
      this.#source.end();
    }
  }

  lost(error: LongshoreError): void {
    this.#over();
    this.#source.fail(error);
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
