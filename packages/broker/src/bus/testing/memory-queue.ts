import type { InvocationId, TenantId } from "@longshore/protocol";
import type { Along, EndedHandler, FoundInvocation, Listed, ListedKind, ListedPage, QueuedInvocation, QueueEntry, QueueFollower, QueueKey, QueueStore, QueueTerms } from "../queue-store.ts";
import type { KeptRecord, RecordsWanted } from "../kept-record.ts";
import { partitionOf } from "../queue-subjects.ts";
import { KeptRecords } from "./kept-records.ts";

/** The queue without a server, for unit tests: any number of "brokers" may share one. It keeps the contract of the real one (queue-contract.ts). */
export class MemoryQueue implements QueueStore {
  /** Thrown by every operation while it is set. */
  failing: Error | undefined;
  readonly #invocations = new Map<string, FoundInvocation>();
  readonly #followers = new Map<QueueFollower, number | "all">();
  readonly #dead = new Map<string, Listed>();
  readonly #records = new Map<string, number>();
  readonly #kept: KeptRecords;
  /** Entries that a killed server brought back beside their records, by their sequence: a test puts them there. */
  readonly ghosts = new Map<number, QueuedInvocation>();
  /** What a server would have taken out: a test puts it there. */
  readonly overdue = new Map<string, Listed>();
  readonly #endedHandlers: EndedHandler[] = [];
  #sequence = 0;

  constructor(now: () => Date = () => new Date()) {
    this.#kept = new KeptRecords(now);
  }

  async *newestFirst(wanted: RecordsWanted): AsyncGenerator<readonly KeptRecord[], void> {
    await this.#begin();
    yield* this.#kept.newestFirst(wanted);
  }

  async accept(key: QueueKey, terms: QueueTerms, head: unknown, body: Uint8Array): Promise<boolean> {
    await this.#begin();
    if (this.#invocations.has(idOf(key))) return false;
    this.#put(key, terms, head, body);
    return true;
  }

  async read({ sequence, ...key }: QueueEntry): Promise<QueuedInvocation | undefined> {
    await this.#begin();
    const found = this.#invocations.get(idOf(key));
    if (found?.state === "queued" && found.isOverdue !== true && found.sequence === sequence) return found;
    return this.ghosts.get(sequence);
  }

  async again(invocation: QueuedInvocation, terms: QueueTerms, head: unknown): Promise<number | undefined> {
    await this.#begin();
    const found = this.#invocations.get(idOf(invocation));
    if (found?.state !== "queued" || found.isOverdue === true || found.sequence !== invocation.sequence) return undefined;
    return this.#put(invocation, terms, head, invocation.body);
  }

  async finish(key: QueueKey, record: unknown, body: Uint8Array, { dead, followUp }: Along = {}): Promise<boolean> {
    await this.#begin();
    if (this.#invocations.get(idOf(key))?.state === "finished") return false;
    this.#invocations.set(idOf(key), { state: "finished", ...namesOf(key), head: structuredClone(record), body: body.slice() });
    if (dead !== undefined) this.#dead.set(idOf(key), { ...namesOf(key), sequence: (this.#sequence += 1), terms: noTerms, head: structuredClone(dead.head), body: dead.body.slice() });
    this.#records.set(idOf(key), (this.#sequence += 1));
    this.#kept.add(key, structuredClone(record), body.length);
    if (followUp !== undefined) this.#put(followUp, followUp.terms, followUp.head, followUp.body);
    queueMicrotask(() => this.#endedHandlers.forEach((handler) => handler(key.tenantId, key.invocationId)));
    return true;
  }

  async list(kind: ListedKind, { tenantId, functionName, after, limit }: ListedPage): Promise<readonly Listed[]> {
    await this.#begin();
    return this.#listed(kind)
      .filter((each) => (tenantId === "*" || each.tenantId === tenantId) && (functionName === "*" || each.functionName === functionName) && each.sequence > after)
      .toSorted((a, b) => a.sequence - b.sequence)
      .slice(0, limit);
  }

  async count(kind: ListedKind): Promise<number> {
    await this.#begin();
    return this.#listed(kind).length;
  }

  /** What a server does with an entry whose time has been over for long. */
  becomeOverdue(tenantId: TenantId, invocationId: InvocationId): void {
    const id = idOf({ tenantId, invocationId });
    const found = this.#invocations.get(id);
    if (found?.state !== "queued") throw new Error("it is not queued");
    const { head, body, ...entry } = found;
    this.#sequence += 1;
    this.overdue.set(id, { ...namesOf(entry), sequence: this.#sequence, terms: entry, head, body });
    this.#invocations.set(id, { ...found, isOverdue: true, sequence: this.#sequence });
  }

  async findDead(tenantId: TenantId, invocationId: InvocationId): Promise<Listed | undefined> {
    await this.#begin();
    return this.#dead.get(idOf({ tenantId, invocationId }));
  }

  async remove({ sequence }: Pick<Listed, "sequence">): Promise<void> {
    await this.#begin();
    this.ghosts.delete(sequence);
    for (const kept of [this.#dead, this.overdue]) for (const [id, each] of kept) if (each.sequence === sequence) kept.delete(id);
  }

  #listed(kind: ListedKind): readonly Listed[] {
    if (kind === "dead") return [...this.#dead.values()];
    if (kind === "overdue") return [...this.overdue.values()];
    return [...this.#invocations.values()].flatMap((found): Listed[] => {
      const { tenantId, functionName, invocationId, head, body } = found;
      const names = { tenantId, functionName, invocationId, head, body };
      if (found.state === "queued") return kind === "entry" && found.isOverdue !== true ? [{ ...names, sequence: found.sequence, terms: found }] : [];
      return kind === "record" ? [{ ...names, sequence: this.#records.get(idOf(found)) ?? 0, terms: noTerms }] : [];
    });
  }

  /** Tells followers of an entry, as a pass over all that stands does. */
  tell(entry: QueuedInvocation): void {
    for (const [follower, partition] of this.#followers) if (isIn(partition, entry)) follower.queued(entryOf(entry));
  }

  onEnded(handler: EndedHandler): void {
    this.#endedHandlers.push(handler);
  }

  async find(tenantId: TenantId, invocationId: InvocationId): Promise<FoundInvocation | undefined> {
    await this.#begin();
    return this.#invocations.get(idOf({ tenantId, invocationId }));
  }

  follow(partition: number | "all", follower: QueueFollower): { readonly ready: Promise<void>; close(): void } {
    follower.restarted();
    for (const found of this.#invocations.values()) if (found.state === "queued" && found.isOverdue !== true && isIn(partition, found)) follower.queued(entryOf(found));
    this.#followers.set(follower, partition);
    return { ready: Promise.resolve(), close: () => this.#followers.delete(follower) };
  }

  /** As far away as a server: whatever else runs may come in between. */
  async #begin(): Promise<void> {
    await Promise.resolve();
    if (this.failing !== undefined) throw this.failing;
  }

  #put(key: QueueKey, terms: QueueTerms, head: unknown, body: Uint8Array): number {
    this.#sequence += 1;
    const { attempt, notBeforeMs, expiresAtMs, sentUntilMs, sentTo, isCancelled } = terms;
    const queued = { state: "queued", ...namesOf(key), attempt, notBeforeMs, expiresAtMs, sentUntilMs, ...(sentTo && { sentTo }), ...(isCancelled && { isCancelled }), sequence: this.#sequence, head: structuredClone(head), body: body.slice() } as const;
    this.#invocations.set(idOf(key), queued);
    for (const [follower, partition] of this.#followers) if (isIn(partition, key)) queueMicrotask(() => this.#followers.has(follower) && follower.queued(entryOf(queued)));
    return this.#sequence;
  }
}

const isIn = (partition: number | "all", key: QueueKey) => partition === "all" || partition === partitionOf(key);
const noTerms: QueueTerms = { attempt: 0, notBeforeMs: 0, expiresAtMs: 0, sentUntilMs: 0 };
const idOf = ({ tenantId, invocationId }: Pick<QueueKey, "tenantId" | "invocationId">) => `${tenantId}.${invocationId}`;
const namesOf = ({ tenantId, functionName, invocationId }: QueueKey): QueueKey => ({ tenantId, functionName, invocationId });

function entryOf({ head: _head, body: _body, ...entry }: QueuedInvocation): QueueEntry {
  return entry;
}
