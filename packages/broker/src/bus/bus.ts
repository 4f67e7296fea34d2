import type { AgentAddress, BrokerId, Frame, Heartbeat, Introduction } from "@longshore/protocol";
import type { BodyStore } from "./body-store.ts";
import type { CountedEvent } from "./counted-events.ts";
import type { HistoryStore } from "./history-store.ts";
import type { RecordReader } from "./kept-record.ts";
import type { QueueStore } from "./queue-store.ts";

/**
 * What the broker needs of NATS. `nats.ts` is the one file that knows the client; it keeps two connections, one in each account.
 *
 * One subscription and a map of tokens stand where the client's `request()` would: the map is keyed by the whole reply subject, so
 * that only the agent that was asked can answer (others are dropped and counted).
 */
export interface Bus {
  readonly brokerId: BrokerId;
  /** Opens an exchange with an agent: picks a token, sends the `open` frame. Throws `bus_down` when not connected. */
  open(agent: AgentAddress, verb: "run" | "ask", head: unknown, body: Uint8Array, handlers: ExchangeHandlers): Exchange;
  /** Messages from agents, checked against their schema and against the subject they came on; malformed ones are dropped and counted. */
  listen(handlers: FleetHandlers): void;
  /**
   * Asks the fleet's other brokers (core account, no JetStream, nothing kept): the first answer that is not `null`, or undefined when
   * none came within `waitMs`. Questions and answers are JSON documents. Throws `bus_down` when not connected.
   */
  askBrokers(question: unknown, waitMs: number): Promise<unknown>;
  /** What to answer when another broker asks; `null`: this one has nothing to say. One handler, set before the bus starts or never. */
  answerBrokers(handler: (question: unknown) => unknown): void;
  readonly store: Store;
  /** True while both connections are up. */
  readonly connected: boolean;
  /** Told at each loss and return of a connection. */
  onConnectionChange(handler: (connected: boolean) => void): void;
  /** Counters for /metrics: of every event, whether it has happened or not. */
  readonly counters: ReadonlyMap<CountedEvent, number>;
}

/** One exchange with one agent. */
export interface Exchange {
  /** Sends a further frame: data, end, credit, cancel. Nothing after {@link close}. */
  send(frame: Frame): void;
  /** Forgets the token: whatever still comes is dropped. Idempotent. */
  close(): void;
}

export interface ExchangeHandlers {
  /** A frame from the agent that was asked, in order. Malformed ones come as `failed`. */
  frame(frame: Frame): void;
  /** No more frames will come: nobody listens at the agent (`no_responders`), the bus went away, or the agent's frame was malformed. */
  failed(why: "no_responders" | "bus_down" | "bad_frame"): void;
}

export interface FleetHandlers {
  heartbeat(from: AgentAddress, heartbeat: Heartbeat): void;
  introduction(from: AgentAddress, introduction: Introduction): void;
  /** An answer whose broker is gone; handed to one broker of the fleet. */
  orphan(from: AgentAddress, frame: Frame): void;
  /** What became of an attempt at an accepted invocation; handed to one broker of the fleet. */
  outcome(from: AgentAddress, frame: Frame): void;
}

/** Durable and shared state, behind JetStream. */
export interface Store {
  /** A key-value bucket, made when it is not there. */
  bucket(name: string, options: BucketOptions): Promise<Bucket>;
  /** The 15-minute memory stream of sync terminal records. */
  records: RecordStore;
  /** Accepted invocations, on disk. */
  queue: QueueStore;
  /** Their long bodies. */
  bodies: BodyStore;
  /** What ended, summed up. */
  history: HistoryStore;
}

export interface BucketOptions {
  readonly history: number;
  /** Entries go after that many milliseconds; 0: they stay. */
  readonly ttlMs: number;
  /** Memory: gone with a server's restart. */
  readonly storage: "file" | "memory";
}

export interface Entry {
  readonly key: string;
  readonly value: Uint8Array;
  readonly revision: number;
  readonly deleted: boolean;
}

/** Keys are made of checked ids joined by dots. Reads may be stale: decisions go by compare-and-set. */
export interface Bucket {
  get(key: string): Promise<Entry | undefined>;
  /** Puts if the key does not exist (or was deleted); undefined when it does. The new revision otherwise. */
  create(key: string, value: Uint8Array): Promise<number | undefined>;
  /** Puts if the key stands at that revision; undefined when it does not. */
  update(key: string, value: Uint8Array, revision: number): Promise<number | undefined>;
  put(key: string, value: Uint8Array): Promise<number>;
  delete(key: string): Promise<void>;
  /** Every entry as it stands, then every change, in order; resolves when the first pass is done. Survives reconnection without a gap. */
  watch(handler: (entry: Entry) => void): Promise<{ close(): void }>;
}

export interface RecordStore extends RecordReader {
  /** Queues a record to be written with others, after the reply; the first one of an id wins. */
  append(tenantId: string, invocationId: string, head: unknown, body: Uint8Array): void;
  read(tenantId: string, invocationId: string): Promise<{ head: unknown; body: Uint8Array } | undefined>;
  /** Resolves once what was appended so far is stored (or given up, counted). */
  flush(): Promise<void>;
}
