import { type AgentAddress, type Ask, answerEndSchema, answerHeadSchema, BodyReader, errorShape, type Frame, LongshoreError } from "@longshore/protocol";
import type { Bus, Exchange, ExchangeHandlers } from "../bus/bus.ts";
import type { Clock } from "../clock.ts";

export interface AskOptions {
  /** Gives up with `agent_lost` when nothing was heard for that long. */
  readonly silenceMs: number;
  /** Cancels the ask at the agent. */
  readonly signal?: AbortSignal | undefined;
  /** Takes the bytes of a streamed answer that is no lines; their consumer may make the agent wait. */
  readonly onBytes?: ((bytes: Uint8Array) => Promise<void>) | undefined;
  /** Takes the lines of a streamed answer; their consumer may make the agent wait by a promise. */
  readonly onLine?: ((line: unknown) => void | Promise<void>) | undefined;
}

/** Asks agents: everything but runs. */
export interface Asker {
  /** The answer's JSON; undefined for a streamed one, whose lines went to `onLine`. Throws the agent's error, `agent_lost`, `bus_down`. */
  ask(agent: AgentAddress, question: Ask, options: AskOptions): Promise<unknown>;
}

/** An asker that is told of agents that are not heard any more. */
export interface WatchfulAsker extends Asker {
  /** Fails with `agent_lost` what that process of an agent was asked and has not answered. */
  lost(incarnation: string): void;
}

/** An asker over the bus; `incarnationOf` tells the process that speaks for an agent now. */
export function createAsker(bus: Bus, clock: Clock, incarnationOf: (agent: AgentAddress) => string | undefined = () => undefined): WatchfulAsker {
  const underWay = new Set<AskExchange>();
  return {
    ask: (agent, question, options) =>
      new Promise((resolve, reject) => new AskExchange({ bus, clock, agent, incarnation: incarnationOf(agent), question, options, resolve, reject, underWay }).open()),
    lost(incarnation) {
      for (const exchange of [...underWay]) if (exchange.incarnation === incarnation) exchange.lost();
    },
  };
}

interface AskContext {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly agent: AgentAddress;
  readonly incarnation: string | undefined;
  readonly question: Ask;
  readonly options: AskOptions;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** Those that have been opened and not closed. */
  readonly underWay: Set<AskExchange>;
}

const nothing = new Uint8Array(0);
const decoder = new TextDecoder();
/** A line longer than this is no line of ours. */
const maxLineBytes = 4 * 1024 * 1024;

class AskExchange implements ExchangeHandlers {
  readonly #context: AskContext;
  readonly #reader = new BodyReader((bytes) => this.#exchange?.send({ kind: "credit", bytes }));
  #exchange: Exchange | undefined;
  #cancelTimer: (() => void) | undefined;
  #partial: Uint8Array[] = [];
  #partialBytes = 0;
  /** Lines are taken one after the other, whatever their consumer does. */
  #consuming: Promise<void> = Promise.resolve();
  #isOver = false;
  readonly #abort = () => this.#cancel();

  constructor(context: AskContext) {
    this.#context = context;
  }

  open(): void {
    const { bus, agent, question, options, underWay } = this.#context;
    if (options.signal?.aborted === true) return this.#cancel();
    underWay.add(this);
    try {
      this.#exchange = bus.open(agent, "ask", question, nothing, this);
    } catch (error) {
      return this.#fail(error);
    }
    options.signal?.addEventListener("abort", this.#abort, { once: true });
    this.#listenOn();
  }

  get incarnation(): string | undefined {
    return this.#context.incarnation;
  }

  lost(): void {
    this.#giveUp(new LongshoreError("agent_lost", `Cannot go on asking agent "${this.#context.agent.agentId}": it is not heard any more`));
  }

  frame(frame: Frame): void {
    this.#listenOn();
    try {
      this.#take(frame);
    } catch (error) {
      this.#giveUp(error);
    }
  }

  failed(why: "no_responders" | "bus_down" | "bad_frame"): void {
    const { agentId } = this.#context.agent;
    if (why === "no_responders") return this.#fail(new LongshoreError("agent_lost", `Cannot ask agent "${agentId}": it is not connected`));
    if (why === "bus_down") return this.#fail(new LongshoreError("bus_down", `Cannot ask agent "${agentId}": the bus went away`));
    this.#fail(new LongshoreError("bad_frame", `Cannot read the answer of agent "${agentId}"`));
  }

  #take(frame: Frame): void {
    switch (frame.kind) {
      case "answer":
        if (answerHeadSchema.parse(frame.head).complete) this.#succeed(frame.body.length === 0 ? {} : (JSON.parse(decoder.decode(frame.body)) as unknown));
        return;
      case "data":
        this.#reader.receive(frame.sequence, frame.body.length);
        return this.#takeBytes(frame.body);
      case "end":
        this.#reader.finish(answerEndSchema.parse(frame.head).sequenceCount);
        this.#consuming.then(() => this.#succeed(undefined), () => undefined); // What a line failed by has been told.
        return;
      case "error":
        throw LongshoreError.fromShape(errorShape.parse(frame.head));
      default:
        throw new LongshoreError("bad_frame", `Cannot take a frame of kind "${frame.kind}" as an answer`);
    }
  }

  #takeBytes(bytes: Uint8Array): void {
    const { onBytes } = this.#context.options;
    if (onBytes !== undefined) return this.#consume(bytes.length, () => onBytes(bytes));
    let begin = 0;
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, begin)) {
      const line = Buffer.concat([...this.#partial, bytes.subarray(begin, end)]);
      this.#partial = [];
      this.#partialBytes = 0;
      begin = end + 1;
      this.#takeLine(line);
    }
    this.#partial.push(bytes.subarray(begin));
    this.#partialBytes += bytes.length - begin;
    if (this.#partialBytes > maxLineBytes) throw new LongshoreError("bad_frame", "Cannot read answer: a line is longer than 4 MiB");
  }

  #takeLine(line: Uint8Array): void {
    const value: unknown = JSON.parse(decoder.decode(line));
    const { onLine } = this.#context.options;
    this.#consume(line.length + 1, () => onLine?.(value));
  }

  #consume(byteLength: number, consume: () => void | Promise<void>): void {
    this.#consuming = this.#consuming.then(async () => {
      if (this.#isOver) return;
      await consume();
      this.#reader.consumed(byteLength);
    });
    this.#consuming.catch((error: unknown) => this.#giveUp(error));
  }

  #listenOn(): void {
    const { clock, options, agent } = this.#context;
    this.#cancelTimer?.();
    if (this.#isOver || options.silenceMs === Number.POSITIVE_INFINITY) return;
    this.#cancelTimer = clock.after(options.silenceMs, () => {
      this.#giveUp(new LongshoreError("agent_lost", `Cannot ask agent "${agent.agentId}": it has not answered for ${options.silenceMs} ms`));
    });
  }

  /** Tells the agent that nobody listens any more. */
  #giveUp(error: unknown): void {
    if (this.#isOver) return;
    this.#exchange?.send({ kind: "cancel", head: { reason: "abandoned" } });
    this.#fail(error);
  }

  #cancel(): void {
    this.#exchange?.send({ kind: "cancel", head: { reason: "requested" } });
    this.#fail(new LongshoreError("caller_gone", `Cannot go on asking agent "${this.#context.agent.agentId}": nobody waits for the answer`));
  }

  #succeed(answer: unknown): void {
    if (this.#close()) this.#context.resolve(answer);
  }

  #fail(error: unknown): void {
    if (this.#close()) this.#context.reject(LongshoreError.from(error, `Cannot ask agent "${this.#context.agent.agentId}"`));
  }

  #close(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#context.underWay.delete(this);
    this.#cancelTimer?.();
    this.#context.options.signal?.removeEventListener("abort", this.#abort);
    this.#exchange?.close();
    return true;
  }
}
