import type { FunctionName, InvocationId, TenantId } from "@longshore/protocol";
import type { QueueKey } from "./queue-store.ts";

/** Functions are spread over so many partitions; each has one broker at a time that tries what is queued there. */
export const partitionCount = 32;

export const queueStreamName = "queue";
const prefix = "longshore.v1.queue";

/**
 * `entry`: accepted, no record yet. `record`: its terminal record. `dead`: what is left of one that did not succeed, so that it can be
 * submitted again. `overdue`: what the server itself took out, because no broker did in time.
 */
export type QueueKind = "entry" | "record" | "dead" | "overdue";

/** All that the stream takes in. */
export const queueSubjects = `${prefix}.>`;

/** The one subject of an invocation's entry, or record. Parts are branded ids: nothing unchecked becomes part of a subject. */
export function queueSubject(kind: QueueKind, key: QueueKey): string {
  const { tenantId, functionName, invocationId } = key;
  return `${prefix}.${kind}.${partitionOf(key)}.${tenantId}.${functionName}.${invocationId}`;
}

/** Whatever there is of an invocation, of whichever function: an id is used once in a tenant. */
export function anythingOf(tenantId: TenantId, invocationId: InvocationId, kind: QueueKind | "*" = "*"): string {
  return `${prefix}.${kind}.*.${tenantId}.*.${invocationId}`;
}

/** Everything of a kind, of a tenant's functions or of one. */
export function listingOf(kind: QueueKind, tenantId: TenantId | "*", functionName: FunctionName | "*"): string {
  return `${prefix}.${kind}.*.${tenantId}.${functionName}.*`;
}

/** The entries of a partition, or of all. */
export function entriesOf(partition: number | "all"): string {
  return partition === "all" ? `${prefix}.entry.>` : `${prefix}.entry.${partition}.>`;
}

/** Where whoever stores a record tells the other brokers; not kept, and outside of what the stream takes in. */
export const endedSubject = "longshore.v1.broker.ended";

/** Takes a subject of the stream apart; undefined when it is not one that {@link queueSubject} made. */
export function parseQueueSubject(subject: string): ({ readonly kind: QueueKind } & QueueKey) | undefined {
  if (!subject.startsWith(`${prefix}.`)) return undefined;
  const [kind, , tenantId, functionName, invocationId] = subject.slice(prefix.length + 1).split(".");
  if (invocationId === undefined) return undefined;
  return { kind: kind as QueueKind, tenantId: tenantId as TenantId, functionName: functionName as FunctionName, invocationId: invocationId as InvocationId };
}

/** FNV-1a over tenant and name: the same on every broker, whatever its version. */
export function partitionOf({ tenantId, functionName }: Pick<QueueKey, "tenantId" | "functionName">): number {
  let hash = 0x811c9dc5;
  for (const character of `${tenantId}/${functionName}`) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return (hash >>> 0) % partitionCount;
}
