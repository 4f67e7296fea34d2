import type { InvocationId, TenantId } from "@longshore/protocol";
import type { QueueEntry } from "../bus/queue-store.ts";
import { partitionOf } from "../bus/queue-subjects.ts";
import { TimeHeap } from "./time-heap.ts";

type FunctionKey = Pick<QueueEntry, "tenantId" | "functionName">;

/** So many stale times are not worth a look. */
const fewestStale = 1_000;

/** What is queued of one function. */
interface Line {
  readonly key: string;
  /** Due, in the order in which they came; by sequence. */
  readonly ready: Map<number, QueueEntry>;
}

/** Which of the two comes first where both could be handed out, what is to be begun or what is over; or that nothing that is over is wanted. */
export type Preference = "beginnings" | "endings" | "beginnings alone";

/** Why an entry is handed out: to be begun; it can no longer be; it is not to be any more; whoever has it has not said in time what became of it. */
export type Due = { readonly why: "begin" | "expired" | "cancelled" | "unheard"; readonly entry: QueueEntry };

/**
 * Which of the queued invocations is to be tried next. It knows no time and does no I/O; both come from whoever owns it.
 *
 * Invariants: I1 an entry is handed out once, until it is {@link settled}; a later attempt is another entry. I2 functions take turns, and
 * one that cannot run now is not looked at again before {@link unblock}: however much of it is queued, others do not notice. I3 what is
 * not due is not begun, and what has expired is not begun either, but handed out to be ended. I4 what is with an agent is nobody else's to
 * begin; it is handed out when its time is over. I5 what was handed out to be begun counts as active in its function until it stands with
 * nobody, or has ended.
 */
export class QueueIndex {
  readonly #lines = new Map<string, Line>();
  /** Functions with something due, in the order of their turns. */
  readonly #turns = new Set<Line>();
  /** Of these, those that cannot run now. */
  readonly #blocked = new Set<Line>();
  /** By the key of the invocation: its latest entry, due or not. */
  readonly #entries = new Map<string, QueueEntry>();
  readonly #underWay = new Map<string, QueueEntry>();
  /** By function: the ids of what is with agents, or on its way there. */
  readonly #active = new Map<string, Set<string>>();
  readonly #due = new TimeHeap<QueueEntry>();
  /** When each is over, begun or not. */
  readonly #ends = new TimeHeap<QueueEntry>();
  /** Of these, those that are, in the order in which they came to it. */
  readonly #over = new Set<QueueEntry>();

  /** Queued, those with an agent included; not those that were handed out. */
  get size(): number {
    return this.#entries.size;
  }

  /** When {@link take} may have something that it has not now, if nothing else happens. */
  get nextMs(): number | undefined {
    const [due, end] = [this.#due.nextMs, this.#ends.nextMs];
    return due === undefined || (end !== undefined && end < due) ? end : due;
  }

  /** How many of a function are with agents, or on their way there. */
  activeOf(which: FunctionKey): number {
    return this.#active.get(lineOf(which))?.size ?? 0;
  }

  /** An entry stands; it takes the place of an earlier one of the same invocation. */
  add(entry: QueueEntry, nowMs: number): void {
    const id = idOf(entry);
    const known = this.#entries.get(id) ?? this.#underWay.get(id);
    if (known !== undefined && known.sequence >= entry.sequence) return; // I1: told again.
    this.#remove(id);
    this.#entries.set(id, entry);
    this.#setActive(entry, entry.sentUntilMs > 0);
    this.#ends.add(endOf(entry), entry);
    if (this.#ends.size + this.#due.size > 4 * this.#entries.size + fewestStale) this.#compact();
    if (entry.sentUntilMs > 0 || entry.isCancelled === true) return; // I4
    if (entry.notBeforeMs > nowMs) this.#due.add(entry.notBeforeMs, entry);
    else this.#line(entry);
  }

  /** The next one to be begun, of a function that can run, or to be ended. It is under way from now on. */
  take(nowMs: number, canRun: (entry: QueueEntry) => boolean, prefers: Preference = "endings"): Due | undefined {
    this.#becomeDue(nowMs);
    this.#becomeOver(nowMs);
    const over = prefers === "endings" ? this.#takeOver() : undefined;
    return over ?? this.#takeTurn(canRun) ?? (prefers === "beginnings" ? this.#takeOver() : undefined);
  }

  #takeOver(): Due | undefined {
    for (const entry of this.#over) {
      this.#over.delete(entry);
      if (this.#stands(entry)) return this.#hand(entry.sentUntilMs > 0 ? "unheard" : entry.isCancelled === true ? "cancelled" : "expired", entry);
    }
    return undefined;
  }

  #takeTurn(canRun: (entry: QueueEntry) => boolean): Due | undefined {
    for (const line of this.#turns) {
      const [entry] = line.ready.values();
      if (entry === undefined) continue;
      this.#turns.delete(line); // Its turn is over, whichever way.
      if (canRun(entry)) {
        if (line.ready.size > 1) this.#turns.add(line);
        return this.#hand("begin", entry);
      }
      this.#blocked.add(line); // I2
    }
    return undefined;
  }

  /** An invocation is over, whoever ended it. */
  ended(tenantId: TenantId, invocationId: InvocationId): void {
    const id = idOf({ tenantId, invocationId });
    const entry = this.#entries.get(id) ?? this.#underWay.get(id);
    if (entry !== undefined) this.#setActive(entry, false);
    this.#remove(id);
  }

  /** This entry is not there any more; a later one of its invocation stays. */
  gone(entry: QueueEntry): void {
    if (this.#entries.get(idOf(entry))?.sequence === entry.sequence) this.#remove(idOf(entry));
  }

  /** What was handed out is over, or was queued again as another entry. */
  settled(entry: QueueEntry): void {
    const id = idOf(entry);
    if (this.#underWay.get(id)?.sequence === entry.sequence) this.#underWay.delete(id);
  }

  /** What was handed out could not be tried after all: it stands again, behind the others of its function, at once or from a time on. */
  putBack(entry: QueueEntry, nowMs: number, againAtMs = entry.notBeforeMs): void {
    this.settled(entry);
    this.add({ ...entry, notBeforeMs: againAtMs }, nowMs);
  }

  /** There may be room: functions that could not run, or this one, are looked at again. */
  unblock(which?: FunctionKey): void {
    const unblocked = which === undefined ? [...this.#blocked] : [this.#lines.get(lineOf(which))];
    for (const line of unblocked) if (line !== undefined && this.#blocked.delete(line)) this.#turns.add(line);
  }

  /** Forgets a partition's entries but those under way: they will be told anew, or are another broker's now. */
  forget(partition: number): void {
    for (const [id, entry] of this.#entries) {
      if (partitionOf(entry) !== partition) continue;
      this.#setActive(entry, false);
      this.#remove(id);
    }
  }

  /** What is over long before its time would stay until then: most invocations are. */
  #compact(): void {
    const stands = (entry: QueueEntry) => this.#stands(entry);
    this.#ends.keep(stands);
    this.#due.keep(stands);
  }

  #becomeDue(nowMs: number): void {
    for (let entry = this.#due.takeDue(nowMs); entry !== undefined; entry = this.#due.takeDue(nowMs)) if (this.#stands(entry) && !this.#over.has(entry)) this.#line(entry);
  }

  /** I3: it is begun no more, whenever somebody comes to end it. */
  #becomeOver(nowMs: number): void {
    for (let entry = this.#ends.takeDue(nowMs); entry !== undefined; entry = this.#ends.takeDue(nowMs)) {
      if (!this.#stands(entry)) continue;
      this.#leaveLine(entry);
      this.#over.add(entry);
    }
  }

  #line(entry: QueueEntry): void {
    const key = lineOf(entry);
    let line = this.#lines.get(key);
    if (line === undefined) this.#lines.set(key, (line = { key, ready: new Map() }));
    line.ready.set(entry.sequence, entry);
    if (!this.#blocked.has(line)) this.#turns.add(line);
  }

  #hand(why: Due["why"], entry: QueueEntry): Due {
    const id = idOf(entry);
    this.#remove(id);
    this.#underWay.set(id, entry);
    if (why === "begin") this.#setActive(entry, true); // I5
    return { why, entry };
  }

  #setActive(entry: QueueEntry, isActive: boolean): void {
    const key = lineOf(entry);
    const active = this.#active.get(key);
    if (isActive) {
      if (active === undefined) this.#active.set(key, new Set([idOf(entry)]));
      else active.add(idOf(entry));
      return;
    }
    if (active?.delete(idOf(entry)) !== true) return;
    if (active.size === 0) this.#active.delete(key);
    this.unblock(entry); // There is room for another.
  }

  #stands(entry: QueueEntry): boolean {
    return this.#entries.get(idOf(entry)) === entry;
  }

  #remove(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    this.#leaveLine(entry);
  }

  #leaveLine(entry: QueueEntry): void {
    const line = this.#lines.get(lineOf(entry));
    line?.ready.delete(entry.sequence);
    if (line === undefined || line.ready.size > 0) return;
    this.#lines.delete(line.key);
    this.#turns.delete(line);
    this.#blocked.delete(line);
  }
}

function endOf({ sentUntilMs, expiresAtMs, isCancelled }: QueueEntry): number {
  if (sentUntilMs > 0) return sentUntilMs;
  return isCancelled === true ? 0 : expiresAtMs;
}

const lineOf = ({ tenantId, functionName }: FunctionKey) => `${tenantId}.${functionName}`;
const idOf = ({ tenantId, invocationId }: Pick<QueueEntry, "tenantId" | "invocationId">) => `${tenantId}.${invocationId}`;
