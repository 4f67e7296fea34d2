import { LongshoreError, type Orphan, type Revision, type RunOrder } from "@longshore/protocol";
import type { AgentBus, AgentExchange, AgentExchangeHandlers } from "../bus/bus.ts";
import type { Clock } from "../clock.ts";
import type { AttemptKey, KeptResult, Outbox } from "../journal/outbox.ts";
import type { BegunAttempt, StartLog } from "../journal/start-log.ts";
import type { Logger } from "../log.ts";
import type { StartRun } from "../session/run-exchange.ts";
import { AcceptedRun } from "./accepted-run.ts";

export interface AcceptedWorkOptions {
  readonly starts: Pick<StartLog, "begin" | "end" | "interrupted">;
  readonly outbox: Pick<Outbox, "hasRoom" | "waiting" | "keep" | "read" | "settle">;
  readonly bus: Pick<AgentBus, "outcome" | "connected">;
  /** Of this process: an order for an earlier one is refused. */
  readonly incarnation: string;
  readonly startRun: StartRun;
  readonly findRevision: (digest: string) => Revision | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What no broker has settled is told again after that time. */
const tellAgainMs = 5_000;
/** So many outcomes are on their way at a time: results may be large, and many may wait after an outage. */
const tellAtOnce = 128;
/** Of so many withdrawn attempts an order may still come; the oldest are forgotten first. */
const maxWithdrawn = 100_000;

/**
 * Attempts at accepted invocations at this agent: begun only once that is on disk, and told of until a broker has stored what became of
 * them, over any number of processes and outages.
 *
 * Invariants: W1 an attempt that was begun ends in one result. One that an earlier process had begun is `lost`: nobody can say what its
 * program did. W2 a result is on disk before its start is forgotten, and told until it is settled. W3 what the disk does not take is told
 * from memory, and its start stays: should the process die, it is `lost`, which is true. W4 an attempt that a broker was told is not here
 * is not begun here any more: it may be elsewhere by then.
 */
export class AcceptedWork {
  readonly #options: AcceptedWorkOptions;
  /** Finished and not settled; with its result where the disk did not take that. */
  readonly #waiting = new Map<string, { readonly key: AttemptKey; readonly inMemory: KeptResult | undefined }>();
  /** Told, and not yet settled; by when it is told again. */
  readonly #told = new Map<string, () => void>();
  /** Taken, and not finished. */
  readonly #running = new Map<string, AcceptedRun | undefined>();
  readonly #withdrawn = new Set<string>();
  readonly #keeping = new Set<Promise<void>>();
  #isClosed = false;

  constructor(options: AcceptedWorkOptions) {
    this.#options = options;
    for (const key of options.outbox.waiting) this.#waiting.set(nameOf(key), { key, inMemory: undefined });
  }

  /** Ends what an earlier process had begun; once, before anything is opened. */
  async recover(): Promise<void> {
    for (const begun of this.#options.starts.interrupted) {
      if (this.#waiting.has(nameOf(begun))) this.#options.starts.end(begun); // It had finished: W2.
      else await this.#keep(lostResult(begun)); // W1
    }
  }

  /** A broker's order. */
  open(order: RunOrder, body: Uint8Array, exchange: AgentExchange): AgentExchangeHandlers {
    const { outbox, startRun, findRevision, starts, incarnation } = this.#options;
    const refuse = (error: LongshoreError): AgentExchangeHandlers => {
      exchange.send({ kind: "error", head: error.toShape() });
      return { frame: () => undefined, brokerGone: () => undefined };
    };
    const name = nameOf(order);
    if (order.more) return refuse(new LongshoreError("bad_frame", "Cannot take an accepted invocation in parts", { phase: "admission", field: "more" }));
    if (this.#withdrawn.has(name) || order.accepted?.incarnation !== incarnation) {
      return refuse(new LongshoreError("attempt_withdrawn", `Cannot begin: attempt ${order.attempt} of invocation ${order.invocationId} was taken back meanwhile`, { phase: "admission" })); // W4
    }
    if (!outbox.hasRoom) return refuse(new LongshoreError("outbox_full", "Cannot begin: the results that wait on this agent for a broker have reached their quota", { phase: "admission" }));
    if (this.has(order)) return refuse(new LongshoreError("invocation_exists", `Cannot begin: attempt ${order.attempt} of invocation ${order.invocationId} is here already`, { phase: "admission" }));
    this.#running.set(name, undefined);
    const run = new AcceptedRun(order, body, exchange, {
      startRun,
      findRevision,
      begin: (begun) => starts.begin(begun),
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

  /** Which of these are not here, nor ever will be; ends those that are and are to be cancelled. */
  confirm(attempts: readonly (AttemptKey & { readonly cancel: boolean })[]): { readonly unknown: AttemptKey[] } {
    for (const key of attempts) if (key.cancel) this.#running.get(nameOf(key))?.cancel();
    const unknown = attempts.filter((key) => !this.has(key));
    for (const key of unknown) this.#withdraw(nameOf(key));
    return { unknown: unknown.map(({ invocationId, attempt }) => ({ invocationId, attempt })) };
  }

  /** Taken here and not finished, or finished and not settled. */
  has(key: AttemptKey): boolean {
    return this.#running.has(nameOf(key)) || this.#waiting.has(nameOf(key));
  }

  /** A broker has stored what became of these. */
  async settle(keys: readonly AttemptKey[]): Promise<void> {
    for (const key of keys) {
      const name = nameOf(key);
      const waiting = this.#waiting.get(name);
      if (waiting === undefined) continue;
      this.#waiting.delete(name);
      this.#told.get(name)?.();
      this.#told.delete(name);
      if (waiting.inMemory !== undefined) this.#options.starts.end(key); // W3
      await this.#options.outbox.settle(key);
    }
    this.#tell();
  }

  /** The bus is there again: whatever was told may not have arrived. */
  connected(): void {
    for (const cancel of this.#told.values()) cancel();
    this.#told.clear();
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
    const { outbox, starts, log } = this.#options;
    const { invocationId, attempt } = result;
    let inMemory: KeptResult | undefined;
    try {
      await outbox.keep(result);
      starts.end(result); // W2
    } catch (err) {
      log.error({ err, invocationId, attempt }, "result not kept on disk, only in memory");
      inMemory = result;
    }
    this.#waiting.set(nameOf(result), { key: { invocationId, attempt }, inMemory });
    this.#tell(result);
  }

  /** Tells what waits and was not told; one that was just kept need not be read for it. */
  #tell(fresh?: KeptResult): void {
    const { bus, clock } = this.#options;
    if (this.#isClosed || !bus.connected) return;
    for (const [name, { key, inMemory }] of this.#waiting) {
      if (this.#told.size >= tellAtOnce) return;
      if (this.#told.has(name)) continue;
      this.#told.set(name, clock.after(tellAgainMs, () => {
        this.#told.delete(name);
        this.#tell();
      }));
      void this.#tellOne(key, inMemory ?? (fresh !== undefined && nameOf(fresh) === name ? fresh : undefined));
    }
  }

  async #tellOne(key: AttemptKey, inMemory: KeptResult | undefined): Promise<void> {
    const result = inMemory ?? (await this.#options.outbox.read(key));
    if (result === undefined) return void this.#waiting.delete(nameOf(key)); // Settled meanwhile; or its file cannot be read, now or later.
    if (this.#waiting.has(nameOf(key))) this.#options.bus.outcome({ kind: "answer", head: result.head, body: result.body });
  }
}

const nameOf = ({ invocationId, attempt }: AttemptKey) => `${invocationId} ${attempt}`;

function lostResult({ invocationId, attempt, head }: BegunAttempt): KeptResult {
  const message = "The agent died while it ran: nobody can say what it did";
  const error = new LongshoreError("agent_lost", message, { phase: "execution" }).toShape();
  return { invocationId, attempt, head: { complete: true, headers: [], result: { outcome: "lost", message, error }, orphan: head as Orphan, bodyBytes: 0, bodyKept: true }, body: new Uint8Array(0) };
}
