import { LongshoreError, type Orphan, type Reason, type Revision, type RunOrder } from "@longshore/protocol";
import type { AgentBus, AgentExchange, AgentExchangeHandlers } from "../bus/bus.ts";
import type { Clock } from "../clock.ts";
import { passFailpoint } from "../failpoint.ts";
import type { LongAnswers } from "../journal/answer-files.ts";
import type { AttemptKey, KeptResult, Outbox } from "../journal/outbox.ts";
import type { BegunAttempt, StartLog } from "../journal/start-log.ts";
import type { Logger } from "../log.ts";
import type { StartRun } from "../session/run-exchange.ts";
import { AcceptedRun } from "./accepted-run.ts";
import type { PayloadFile, Payloads } from "./payload-files.ts";
import { PayloadIntake } from "./payload-intake.ts";

export interface AcceptedWorkOptions {
  readonly starts: Pick<StartLog, "begin" | "end" | "interrupted">;
  readonly outbox: Pick<Outbox, "roomBytes" | "waiting" | "keep" | "read" | "settle">;
  /** Where payloads that come in parts wait; together with what waits for a broker they keep its quota. */
  readonly payloads: Payloads;
  /** Answers that are too long for the outbox; they keep its quota with it. */
  readonly answers: LongAnswers;
  readonly bus: Pick<AgentBus, "outcome" | "connected">;
  /** Of this process: an order for an earlier one is refused. */
  readonly incarnation: string;
  readonly startRun: StartRun;
  readonly findRevision: (digest: string) => Revision | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What no broker has settled is told again after that time, and then after twice as long, up to the longest: brokers that store slowly have enough to do. */
const tellAgainMs = 5_000;
const tellAgainMostMs = 20_000;
/** A broker that takes a long answer stores it, and says so, or takes another part within that time. */
const fetchedWithinMs = 30_000;
/** So many outcomes are on their way at a time: results may be large, and many may wait after an outage. */
const tellAtOnce = 128;
/** Of so many withdrawn attempts an order may still come; the oldest are forgotten first. */
const maxWithdrawn = 100_000;

interface Taken {
  cancel(): void;
  /** That it begins is on disk. */
  readonly hasBegun: boolean;
}

/** A result on its way to a broker. */
interface Waiting {
  readonly key: AttemptKey;
  /** Where the disk did not take it. */
  readonly inMemory: KeptResult | undefined;
  /** Whose it is, a JSON document; undefined where that was lost. */
  readonly orphan: unknown;
  /** How long whoever was told last has to settle it. */
  patienceMs: number;
}

/**
 * Attempts at accepted invocations at this agent: begun only once that is on disk, and told of until a broker has stored what became of
 * them, over any number of processes and outages.
 *
 * Invariants: W1 an attempt that was begun ends in one result. One that an earlier process had begun is `lost`: nobody can say what its
 * program did, once it does nothing any more. W2 a result is told until it is settled, and its start stays on disk as long: whose it is, is
 * known should the result be damaged, and it is told as `lost` then. W3 what the disk does not take is told from memory: should the process
 * die, it is `lost`, which is true. W4 an attempt that a broker was told is not here is not begun here any more: it may be elsewhere by
 * then. W5 of an attempt that was begun here no broker is told that it is not here, until it is settled.
 */
export class AcceptedWork {
  readonly #options: AcceptedWorkOptions;
  /** Finished and not settled. */
  readonly #waiting = new Map<string, Waiting>();
  /** Begun by an earlier process, and perhaps still under way. */
  readonly #unended: Map<string, BegunAttempt>;
  /** Of these nobody can say any more what became of them, nor whose they are. */
  readonly #unreadable = new Set<string>();
  /** Told, and not yet settled; by when it is told again. */
  readonly #told = new Map<string, () => void>();
  /** Taken, and not finished. */
  readonly #running = new Map<string, Taken | undefined>();
  readonly #withdrawn = new Set<string>();
  /** Brokers take the answers of these; when each was last given a part. */
  readonly #fetchedMs = new Map<string, number>();
  readonly #keeping = new Set<Promise<void>>();
  #isClosed = false;

  constructor(options: AcceptedWorkOptions) {
    this.#options = options;
    const begun = new Map(options.starts.interrupted.map((each) => [nameOf(each), each]));
    for (const key of options.outbox.waiting) {
      this.#waiting.set(nameOf(key), { key, inMemory: undefined, orphan: begun.get(nameOf(key))?.head, patienceMs: tellAgainMs });
      begun.delete(nameOf(key)); // It had finished: W2.
    }
    this.#unended = begun;
  }

  /** Ends what earlier processes had begun, as far as that is over; before anything is opened, and again when more may be. */
  async recover(isOver: (key: AttemptKey) => boolean): Promise<void> {
    for (const begun of [...this.#unended.values()]) {
      if (!isOver(begun)) continue;
      await this.#keep(lostResult(begun, diedWithIt)); // W1
      this.#unended.delete(nameOf(begun));
    }
  }

  /** What is here, for those who compare it with what is believed elsewhere. */
  get holdings(): { readonly running: readonly AttemptKey[]; readonly waiting: readonly AttemptKey[]; readonly unreadable: number } {
    const keys = (names: Iterable<string>) => [...names].map(keyOf);
    return { running: keys([...this.#running.keys(), ...this.#unended.keys()]), waiting: keys(this.#waiting.keys()), unreadable: this.#unreadable.size };
  }

  /** A broker's order. */
  open(order: RunOrder, body: Uint8Array, exchange: AgentExchange): AgentExchangeHandlers {
    const refusal = this.#refusalOf(order);
    if (refusal !== undefined) {
      exchange.send({ kind: "error", head: refusal.toShape() });
      return { frame: () => undefined, brokerGone: () => undefined };
    }
    this.#running.set(nameOf(order), undefined);
    return order.more ? this.#takePayload(order, exchange) : this.#run(order, body, exchange);
  }

  /** Why an order is not taken, if so. */
  #refusalOf(order: RunOrder): LongshoreError | undefined {
    const { findRevision, incarnation } = this.#options;
    const { invocationId, attempt, bodyBytes } = order;
    const refuse = (reason: Reason, why: string) => new LongshoreError(reason, `Cannot begin: ${why}`, { phase: "admission" });
    if (this.#withdrawn.has(nameOf(order)) || order.accepted?.incarnation !== incarnation) return refuse("attempt_withdrawn", `attempt ${attempt} of invocation ${invocationId} was taken back meanwhile`); // W4
    if (this.#roomBytes <= 0) return outboxFull("admission");
    if (this.has(order)) return refuse("invocation_exists", `attempt ${attempt} of invocation ${invocationId} is here already`);
    if (!order.more) return undefined;
    if (bodyBytes === undefined) return refuse("bad_frame", "its payload comes in parts, and its length is not known");
    if (order.revision === undefined && findRevision(order.revisionDigest) === undefined) return refuse("revision_unknown", "the agent does not know the revision");
    return bodyBytes > this.#roomBytes ? refuse("outbox_full", `its payload of ${bodyBytes} bytes has no room beside what waits on this agent`) : undefined;
  }

  /** What the outbox' quota leaves, beside all that waits on the disk. */
  get #roomBytes(): number {
    const { outbox, payloads, answers } = this.#options;
    return outbox.roomBytes - payloads.totalBytes - answers.totalBytes;
  }

  /** Nothing begins before all of it is there: whoever sends it may go away. */
  #takePayload(order: RunOrder, exchange: AgentExchange): AgentExchangeHandlers {
    const { payloads, clock } = this.#options;
    const name = nameOf(order);
    const byteLength = order.bodyBytes ?? 0;
    const file = payloads.create(byteLength);
    let handlers: AgentExchangeHandlers & Taken;
    const failed = () => {
      this.#running.delete(name);
      void file.remove();
    };
    handlers = new PayloadIntake({ order, byteLength, file, exchange, clock, failed, whole: () => void (handlers = this.#run(order, file, exchange)) });
    this.#running.set(name, handlers);
    return { frame: (frame) => handlers.frame(frame), brokerGone: () => handlers.brokerGone() };
  }

  #run(order: RunOrder, payload: Uint8Array | PayloadFile, exchange: AgentExchange): AcceptedRun {
    const { startRun, findRevision, starts, answers } = this.#options;
    const name = nameOf(order);
    const run = new AcceptedRun(order, payload, exchange, {
      startRun,
      findRevision,
      answers: { create: (key) => answers.create(key), remove: (key) => answers.remove(key), roomBytes: () => this.#roomBytes },
      // It may have waited long for an instance, and others have finished meanwhile.
      begin: (begun) => (this.#roomBytes > 0 ? starts.begin(begun) : Promise.reject(outboxFull("startup"))),
      dropped: () => void this.#running.delete(name),
      finish: (result) => {
        const keeping = this.#keep(result).then(() => {
          this.#running.delete(name);
          this.#keeping.delete(keeping);
        });
        this.#keeping.add(keeping);
      },
    });
    if (this.#running.has(name)) this.#running.set(name, run); // It may be over already.
    return run;
  }

  /** Which of these are not here, nor ever will be, and which are and wait to begin, so that nobody knows of them should this process die; ends those that are here and are to be cancelled. */
  confirm(attempts: readonly (AttemptKey & { readonly cancel: boolean })[]): { readonly unknown: AttemptKey[]; readonly waiting: AttemptKey[] } {
    for (const key of attempts) if (key.cancel) this.#running.get(nameOf(key))?.cancel();
    const unknown = attempts.filter((key) => !this.has(key));
    for (const key of unknown) this.#withdraw(nameOf(key));
    const waiting = attempts.filter((key) => this.#running.has(nameOf(key)) && this.#running.get(nameOf(key))?.hasBegun !== true);
    const keys = (some: readonly AttemptKey[]) => some.map(({ invocationId, attempt }) => ({ invocationId, attempt }));
    return { unknown: keys(unknown), waiting: keys(waiting) };
  }

  /** Taken here and not finished, or finished and not settled. */
  has(key: AttemptKey): boolean {
    const name = nameOf(key);
    return this.#running.has(name) || this.#waiting.has(name) || this.#unended.has(name); // W5
  }

  /** A broker has stored what became of these. */
  async settle(keys: readonly AttemptKey[]): Promise<void> {
    for (const key of keys) {
      const name = nameOf(key);
      const waiting = this.#waiting.get(name);
      if (waiting === undefined) continue;
      this.#waiting.delete(name);
      this.#unreadable.delete(name);
      this.#told.get(name)?.();
      this.#told.delete(name);
      await this.#options.outbox.settle(key);
      await this.#options.answers.remove(key);
      this.#fetchedMs.delete(name);
      this.#options.starts.end(key); // W2
    }
    this.#tell();
  }

  /** A long answer that an outcome told of, in parts. Throws `body_lost`: it is not here, or the disk does not give it. */
  async *answer(key: AttemptKey): AsyncGenerator<Uint8Array, void> {
    const { answers, clock } = this.#options;
    const name = nameOf(key);
    try {
      if (!this.#waiting.has(name)) throw new Error("It does not wait here");
      for await (const part of answers.read(key)) {
        this.#fetchedMs.set(name, clock.monotonicMs());
        yield part;
      }
    } catch (cause) {
      throw new LongshoreError("body_lost", `Cannot give the answer of attempt ${key.attempt} of invocation ${key.invocationId}: it is not on this host's disk any more`, { phase: "execution", cause });
    }
  }

  /** The bus is there again: whatever was told may not have arrived. */
  connected(): void {
    for (const cancel of this.#told.values()) cancel();
    this.#told.clear();
    for (const waiting of this.#waiting.values()) waiting.patienceMs = tellAgainMs;
    this.#tell();
  }

  /** Tells nothing more; resolves once what has finished is on disk. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const cancel of this.#told.values()) cancel();
    await Promise.all(this.#keeping);
  }

  #withdraw(name: string): void {
    this.#withdrawn.add(name); // W4
    if (this.#withdrawn.size <= maxWithdrawn) return;
    const [oldest = ""] = this.#withdrawn;
    this.#withdrawn.delete(oldest);
  }

  async #keep(result: KeptResult): Promise<void> {
    const { outbox, log } = this.#options;
    const { invocationId, attempt } = result;
    let inMemory: KeptResult | undefined;
    try {
      await outbox.keep(result);
      passFailpoint("after_outbox_fsync");
    } catch (err) {
      log.error({ err, invocationId, attempt }, "result not kept on disk, only in memory");
      inMemory = result;
    }
    this.#waiting.set(nameOf(result), { key: { invocationId, attempt }, inMemory, orphan: (result.head as { orphan?: unknown }).orphan, patienceMs: tellAgainMs });
    this.#tell(result);
  }

  /** Tells what waits and was not told; one that was just kept need not be read for it. */
  #tell(fresh?: KeptResult): void {
    const { bus, clock } = this.#options;
    if (this.#isClosed || !bus.connected) return;
    for (const [name, waiting] of this.#waiting) {
      if (this.#told.size >= tellAtOnce) return;
      if (this.#told.has(name) || this.#unreadable.has(name)) continue;
      this.#told.set(name, clock.after(waiting.patienceMs, () => this.#tellAgain(name)));
      this.#tellOne(waiting, fresh !== undefined && nameOf(fresh) === name ? fresh : undefined).catch((err: unknown) => this.#options.log.warn({ err, invocationId: waiting.key.invocationId }, "result not told; it will be"));
    }
  }

  /** Behind the others: what no broker settles keeps none of them from being told. */
  #tellAgain(name: string): void {
    const { clock } = this.#options;
    if (clock.monotonicMs() - (this.#fetchedMs.get(name) ?? -fetchedWithinMs) < fetchedWithinMs) return void this.#told.set(name, clock.after(tellAgainMs, () => this.#tellAgain(name))); // A broker is at it.
    this.#told.delete(name);
    const waiting = this.#waiting.get(name);
    this.#waiting.delete(name);
    if (waiting !== undefined) {
      waiting.patienceMs = Math.min(2 * waiting.patienceMs, tellAgainMostMs);
      this.#waiting.set(name, waiting);
    }
    this.#tell();
  }

  async #tellOne({ key, inMemory, orphan }: Waiting, fresh: KeptResult | undefined): Promise<void> {
    const { outbox, bus, log } = this.#options;
    const name = nameOf(key);
    const result = inMemory ?? fresh ?? (await outbox.read(key));
    if (!this.#waiting.has(name)) return; // Settled meanwhile.
    if (result !== undefined) return bus.outcome({ kind: "answer", head: result.head, body: result.body });
    this.#told.get(name)?.();
    this.#told.delete(name);
    if (orphan !== undefined) return this.#keep(lostResult({ ...key, head: orphan }, damaged)); // W2
    this.#unreadable.add(name);
    log.error({ invocationId: key.invocationId, attempt: key.attempt }, "attempt whose result and start cannot be read; brokers count it as lost when its time is over");
  }
}

const diedWithIt = "The agent died while it ran: nobody can say what it did";
const damaged = "It ended, and its result on the agent's disk cannot be read any more";

function outboxFull(phase: "admission" | "startup"): LongshoreError {
  return new LongshoreError("outbox_full", "Cannot begin: the results that wait on this agent for a broker have reached their quota", { phase });
}

const nameOf = ({ invocationId, attempt }: AttemptKey) => `${invocationId} ${attempt}`;

function keyOf(name: string): AttemptKey {
  const [invocationId = "", attempt] = name.split(" ");
  return { invocationId, attempt: Number(attempt) };
}

function lostResult({ invocationId, attempt, head }: BegunAttempt, message: string): KeptResult {
  const error = new LongshoreError("agent_lost", message, { phase: "execution" }).toShape();
  return { invocationId, attempt, head: { complete: true, headers: [], result: { outcome: "lost", message, error }, orphan: head as Orphan, bodyBytes: 0, bodyKept: true }, body: new Uint8Array(0) };
}
