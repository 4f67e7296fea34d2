import type { InvocationId, TenantId } from "@longshore/protocol";
import type { EndedHandler, FoundInvocation, QueuedInvocation, QueueEntry, QueueFollower, QueueKey, QueueStore, QueueTerms } from "../queue-store.ts";
import { partitionOf } from "../queue-subjects.ts";

/** The queue without a server, for unit tests: any number of "brokers" may share one. It keeps the contract of the real one (queue-contract.ts). */
export class MemoryQueue implements QueueStore {
  /** Thrown by every operation while it is set. */
  failing: Error | undefined;
  readonly #invocations = new Map<string, FoundInvocation>();
  readonly #followers = new Map<QueueFollower, number>();
  readonly #endedHandlers: EndedHandler[] = [];
  #sequence = 0;

  async accept(key: QueueKey, terms: QueueTerms, head: unknown, body: Uint8Array): Promise<boolean> {
    await this.#begin();
    if (this.#invocations.has(idOf(key))) return false;
    this.#put(key, terms, head, body);
    return true;
  }

  async read({ sequence, ...key }: QueueEntry): Promise<QueuedInvocation | undefined> {
    await this.#begin();
    const found = this.#invocations.get(idOf(key));
    return found?.state === "queued" && found.sequence === sequence ? found : undefined;
  }

  async again(invocation: QueuedInvocation, terms: QueueTerms, head: unknown): Promise<number | undefined> {
    await this.#begin();
    const found = this.#invocations.get(idOf(invocation));
    if (found?.state !== "queued" || found.sequence !== invocation.sequence) return undefined;
    return this.#put(invocation, terms, head, invocation.body);
  }

  async finish(key: QueueKey, record: unknown, body: Uint8Array): Promise<boolean> {
    await this.#begin();
    if (this.#invocations.get(idOf(key))?.state === "finished") return false;
    this.#invocations.set(idOf(key), { state: "finished", ...namesOf(key), head: structuredClone(record), body: body.slice() });
    queueMicrotask(() => this.#endedHandlers.forEach((handler) => handler(key.tenantId, key.invocationId)));
    return true;
  }

  onEnded(handler: EndedHandler): void {
    this.#endedHandlers.push(handler);
  }

  async find(tenantId: TenantId, invocationId: InvocationId): Promise<FoundInvocation | undefined> {
    await this.#begin();
    return this.#invocations.get(idOf({ tenantId, invocationId }));
  }

  follow(partition: number, follower: QueueFollower): { readonly ready: Promise<void>; close(): void } {
    follower.restarted();
    for (const found of this.#invocations.values()) if (found.state === "queued" && partitionOf(found) === partition) follower.queued(entryOf(found));
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
    for (const [follower, partition] of this.#followers) if (partition === partitionOf(key)) queueMicrotask(() => this.#followers.has(follower) && follower.queued(entryOf(queued)));
    return this.#sequence;
  }
}

const idOf = ({ tenantId, invocationId }: Pick<QueueKey, "tenantId" | "invocationId">) => `${tenantId}.${invocationId}`;
const namesOf = ({ tenantId, functionName, invocationId }: QueueKey): QueueKey => ({ tenantId, functionName, invocationId });

function entryOf({ head: _head, body: _body, ...entry }: QueuedInvocation): QueueEntry {
  return entry;
}
