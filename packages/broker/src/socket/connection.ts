import {
  type BrokerId,
  decodeFrame,
  encodeFrame,
  type Frame,
  LongshoreError,
  parseInput,
  protocolVersion,
  readStream,
  socketHelloSchema,
  type SocketOpen,
  socketOpens,
  socketOpenSchema,
  streamPrefixBytes,
  writeStream,
} from "@longshore/protocol";
import type { Logger } from "pino";
import type { Invoker } from "../invocation/request.ts";
import type { Caller } from "./caller.ts";
import type { Exchange, ExchangeLink } from "./exchange.ts";
import type { FleetEvents } from "./fleet-events.ts";
import { Inbox } from "./inbox.ts";
import { InvocationExchange } from "./invocation-exchange.ts";
import { readInvocation } from "./invocation-open.ts";
import type { SocketLimits } from "./limits.ts";
import { closeCodes, type Link } from "./link.ts";
import { type Logs, LogsExchange, readLogsOpen } from "./logs-exchange.ts";
import { Outlet } from "./outlet.ts";
import { type Acceptor, SubmissionExchange } from "./submission-exchange.ts";
import { readSubmission } from "./submission-open.ts";
import { WatchExchange } from "./watch-exchange.ts";

/** What every connection of a broker works with. */
export interface ConnectionContext {
  readonly invoker: Invoker;
  readonly acceptor: Acceptor;
  readonly events: FleetEvents;
  readonly logs: Logs;
  readonly brokerId: BrokerId;
  readonly limits: SocketLimits;
  readonly exchanged: (durationMs: number) => void;
  readonly log: Logger;
}

/** Finds out who calls, given the key of the hello. */
type Identify = (key: string | undefined) => Caller | Promise<Caller>;

type State =
  | { readonly phase: "greeting"; readonly timer: NodeJS.Timeout }
  /** The key is being checked. */
  | { readonly phase: "checking"; readonly timer: NodeJS.Timeout }
  | { readonly phase: "open"; readonly caller: Caller }
  | { readonly phase: "closed" };

const handshakeStream = 0;

/**
 * One socket: the handshake, then many exchanges side by side.
 *
 * Invariants: C1 nothing is invoked before the caller is known. C2 a fault within one exchange ends that exchange only; a message
 * that is no frame, or frames that no order explains, end the socket, with an error frame first. C3 what a caller can make this
 * process hold is bounded: exchanges by number, bodies by credit, the send buffer by not reading further. C4 when the socket is
 * closed, every exchange has been told.
 */
export class SocketConnection {
  readonly #link: Link;
  readonly #context: ConnectionContext;
  readonly #identify: Identify;
  readonly #inbox: Inbox;
  readonly #outlet: Outlet;
  readonly #exchanges = new Map<number, Exchange>();
  #state: State;
  #lastStream = 0;
  #isDraining = false;
  #isHeard = true;
  /** The outlet's drain count at the last tick, if it had no room then. */
  #stuckAt: number | undefined;

  constructor(link: Link, context: ConnectionContext, identify: Identify) {
    this.#link = link;
    this.#context = context;
    this.#identify = identify;
    this.#inbox = new Inbox(link, (message) => this.#take(message));
    this.#outlet = new Outlet(link, context.limits.congestedBytes);
    const timer = setTimeout(() => {
      this.fault(new LongshoreError("key_missing", `Cannot keep socket open: no hello within ${context.limits.helloMs} ms`), closeCodes.policy);
    }, context.limits.helloMs);
    this.#state = { phase: "greeting", timer };
  }

  /** Exchanges under way. */
  get exchangeCount(): number {
    return this.#exchanges.size;
  }

  /** A message came. */
  message(bytes: Uint8Array): void {
    this.heard();
    this.#inbox.receive(bytes);
  }

  /** The peer is alive: it sent something, if only a ping. */
  heard(): void {
    this.#isHeard = true;
    if (this.#link.bufferedBytes >= this.#context.limits.stopReadingBytes) this.#inbox.hold("full"); // C3
  }

  /** The send buffer has emptied. */
  drained(): void {
    this.#inbox.release("full");
    this.#outlet.drained();
  }

  /** The socket is closed. */
  closed(): void {
    this.#leave();
  }

  /** Once per keep-alive period: pings, and cuts a peer that is gone or takes nothing. */
  tick(): void {
    if (this.#state.phase !== "open") return;
    const stuckAt = this.#outlet.hasRoom ? undefined : this.#outlet.drainCount;
    const isStalled = stuckAt !== undefined && stuckAt === this.#stuckAt;
    this.#stuckAt = stuckAt;
    if (isStalled) {
      this.fault(new LongshoreError("body_too_slow", "Cannot keep socket open: its reader takes nothing"), closeCodes.policy);
      return this.#link.terminate();
    }
    if (this.#inbox.isHeldFor("full")) return; // Its pongs are not read either.
    if (!this.#isHeard) return this.#link.terminate();
    this.#isHeard = false;
    this.#link.ping();
  }

  /** Takes no further exchange, lets those under way finish, then closes. */
  drain(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    if (this.#state.phase === "open") this.#send(handshakeStream, { kind: "end", head: { reason: "draining" } });
    for (const exchange of this.#exchanges.values()) exchange.brokerDraining(draining());
    this.#closeWhenDrained();
  }

  /** Ends the socket at once, with the reason for it. */
  fault(error: LongshoreError, closeCode: number): void {
    if (this.#state.phase === "closed") return;
    this.#context.log.info({ err: error, closeCode, exchanges: this.#exchanges.size }, "closing socket");
    this.#send(handshakeStream, { kind: "error", head: error.toShape() });
    this.close(closeCode, error.reason);
  }

  /** Closes the socket; what is under way is abandoned. Idempotent. */
  close(code: number, reason: string): void {
    if (this.#state.phase === "closed") return;
    this.#leave();
    this.#link.close(code, reason);
  }

  #leave(): void {
    if ("timer" in this.#state) clearTimeout(this.#state.timer);
    this.#state = { phase: "closed" };
    for (const exchange of this.#exchanges.values()) exchange.abort(); // C4
    this.#exchanges.clear();
    this.#inbox.clear();
  }

  #take(bytes: Uint8Array): void {
    if (this.#state.phase === "closed" || this.#state.phase === "checking") return;
    let frame: Frame;
    try {
      frame = decodeFrame(bytes.subarray(streamPrefixBytes));
    } catch (error) {
      return this.fault(LongshoreError.from(error, "Cannot read frame"), closeCodes.notAFrame);
    }
    if (this.#state.phase === "greeting") this.#greet(readStream(bytes), frame, this.#state.timer);
    else this.#route(readStream(bytes), frame, this.#state.caller);
  }

  #greet(stream: number, frame: Frame, timer: NodeJS.Timeout): void {
    try {
      if (stream !== handshakeStream || frame.kind !== "open") throw new LongshoreError("bad_frame", "Cannot open socket: the first message must be the hello");
      const { key } = parseInput(socketHelloSchema, frame.head, "hello");
      const caller = this.#identify(key);
      if (!(caller instanceof Promise)) return this.#welcome(caller);
      this.#state = { phase: "checking", timer };
      this.#inbox.hold("caller");
      caller.then((known) => this.#welcome(known), (error: unknown) => this.#refuse(error));
    } catch (error) {
      this.#refuse(error);
    }
  }

  #refuse(thrown: unknown): void {
    const error = LongshoreError.from(thrown, "Cannot authenticate");
    this.fault(error, error.reason === "bad_frame" || error.reason === "bad_schema" ? closeCodes.protocolError : closeCodes.policy);
  }

  #welcome(caller: Caller): void {
    if (this.#state.phase === "closed") return;
    if ("timer" in this.#state) clearTimeout(this.#state.timer);
    this.#state = { phase: "open", caller };
    const head = { brokerId: this.#context.brokerId, protocolVersion, takes: socketOpens };
    this.#send(handshakeStream, { kind: "answer", head, body: new Uint8Array(0) });
    this.#inbox.release("caller");
  }

  #route(stream: number, frame: Frame, caller: Caller): void {
    const exchange = this.#exchanges.get(stream);
    if (exchange !== undefined) return this.#deliver(stream, frame, exchange);
    if (stream === handshakeStream) return this.#echo(frame);
    if (frame.kind === "open" && stream > this.#lastStream) return this.#open(stream, frame.head, frame.body, caller);
    if (frame.kind !== "open" && stream <= this.#lastStream) return; // Late: it crossed the exchange's last frame.
    this.fault(new LongshoreError("bad_frame", `Cannot take frame "${frame.kind}" on stream ${stream}: streams count up, and begin with an open`), closeCodes.protocolError);
  }

  #echo(frame: Frame): void {
    if (frame.kind === "credit" && frame.bytes === 0) return this.#send(handshakeStream, frame);
    this.fault(new LongshoreError("bad_frame", `Cannot take frame "${frame.kind}" on stream 0: it is for the handshake`), closeCodes.protocolError);
  }

  #deliver(stream: number, frame: Frame, exchange: Exchange): void {
    try {
      exchange.frame(frame);
    } catch (error) {
      this.#exchanges.delete(stream); // C2
      exchange.abort();
      this.#finish(stream, LongshoreError.from(error, "Cannot go on with exchange"));
    }
  }

  #open(stream: number, head: unknown, body: Uint8Array, caller: Caller): void {
    this.#lastStream = stream;
    try {
      if (this.#isDraining) throw draining();
      const { exchangesPerSocket } = this.#context.limits;
      if (this.#exchanges.size >= exchangesPerSocket) throw new LongshoreError("quota", `Cannot open exchange: ${exchangesPerSocket} are under way on this socket`, { phase: "admission" });
      this.#begin(stream, head, body, caller);
    } catch (error) {
      this.#finish(stream, LongshoreError.from(error, "Cannot open exchange").at("admission"));
    }
  }

  #begin(stream: number, head: unknown, body: Uint8Array, caller: Caller): void {
    const begunMs = performance.now();
    const open = parseInput(socketOpenSchema, head, "open");
    const isTimed = open.what === "invoke" || open.what === "submit";
    const begun = { isOver: false };
    const link: ExchangeLink = {
      outlet: this.#outlet,
      send: (frame) => this.#send(stream, frame),
      finish: (frame) => {
        begun.isOver = true;
        this.#exchanges.delete(stream);
        this.#send(stream, frame);
        if (isTimed) this.#context.exchanged(performance.now() - begunMs);
        this.#closeWhenDrained();
      },
    };
    const exchange = this.#exchange(open, body, caller, link);
    if (!begun.isOver) this.#exchanges.set(stream, exchange);
  }

  #exchange(open: SocketOpen, body: Uint8Array, { tenantId }: Caller, link: ExchangeLink): Exchange {
    const { invoker, acceptor, events, logs, limits } = this.#context;
    switch (open.what) {
      case "invoke":
        return new InvocationExchange(readInvocation(open, body, tenantId), invoker, link);
      case "submit":
        return new SubmissionExchange(readSubmission(open, tenantId, Date.now()), { body, more: open.more, withinMs: limits.submissionMs }, acceptor, link);
      case "watch":
        return new WatchExchange(tenantId, events, limits.watchBacklog, link);
      case "logs":
        return new LogsExchange(tenantId, readLogsOpen(open), logs, link);
    }
  }

  #finish(stream: number, error: LongshoreError): void {
    if (error.reason === "unexpected") this.#context.log.error({ err: error }, "exchange failed");
    this.#send(stream, { kind: "error", head: error.toShape() });
    this.#closeWhenDrained();
  }

  #closeWhenDrained(): void {
    if (this.#isDraining && this.#exchanges.size === 0) this.close(closeCodes.goingAway, "draining");
  }

  #send(stream: number, frame: Frame): void {
    if (this.#state.phase !== "closed") this.#link.send(writeStream(encodeFrame(frame, streamPrefixBytes), stream));
  }
}

function draining(): LongshoreError {
  return new LongshoreError("broker_draining", "Cannot take more work: the broker is draining", { phase: "admission" });
}
