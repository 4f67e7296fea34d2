import type { AgentAddress, FunctionName, InvocationId, TenantId } from "@longshore/protocol";
import type { RecordReader } from "./kept-record.ts";

/** How long a terminal record can be asked for. */
export const recordLifeMs = 7 * 24 * 3_600_000;
/** How long a dead letter can be submitted again. */
export const deadLifeMs = 14 * 24 * 3_600_000;

/** Whose invocation it is. */
export interface QueueKey {
  readonly tenantId: TenantId;
  readonly functionName: FunctionName;
  readonly invocationId: InvocationId;
}

/** What decides when an accepted invocation is tried. */
export interface QueueTerms {
  /** The attempt that comes next, from 1. */
  readonly attempt: number;
  /** Epoch milliseconds: it is not begun before that … */
  readonly notBeforeMs: number;
  /** … nor after that. */
  readonly expiresAtMs: number;
  /** It is with an agent, which has until then to say what became of it; 0: it is with none. */
  readonly sentUntilMs: number;
  /** That agent. */
  readonly sentTo?: AgentAddress | undefined;
  /** Somebody asked for its end. */
  readonly isCancelled?: boolean | undefined;
}

/** An accepted invocation as an index knows it: all but what its caller sent. */
export interface QueueEntry extends QueueKey, QueueTerms {
  /** Of this very entry: a later attempt of the same invocation has another. */
  readonly sequence: number;
}

/** An accepted invocation, whole. */
export interface QueuedInvocation extends QueueEntry {
  /** A JSON document; its schema is the queue's. */
  readonly head: unknown;
  readonly body: Uint8Array;
}

/** What is known of an invocation by its id; overdue: the server took it out of the queue, and a broker is about to end it. */
export type FoundInvocation = ({ readonly state: "queued"; readonly isOverdue?: true } & QueuedInvocation) | ({ readonly state: "finished"; readonly head: unknown; readonly body: Uint8Array } & QueueKey);

/** A JSON document and bytes. */
export interface Kept {
  readonly head: unknown;
  readonly body: Uint8Array;
}

/** An invocation to be accepted. */
export interface Draft extends QueueKey, Kept {
  readonly terms: QueueTerms;
}

/** What comes of an invocation's end. */
export interface Along {
  readonly dead?: Kept | undefined;
  /** Accepted with it. */
  readonly followUp?: Draft | undefined;
}

/** One of a listing, or a dead letter. */
export interface Listed extends QueueKey, Kept {
  readonly sequence: number;
  /** Of those that are queued. */
  readonly terms: QueueTerms;
}

/** What is listed: what is queued, records, dead letters, or what the server took out of the queue. */
export type ListedKind = "entry" | "record" | "dead" | "overdue";

/** Which part of a listing: in order of sequence, behind that one. */
export interface ListedPage {
  readonly tenantId: TenantId | "*";
  readonly functionName: FunctionName | "*";
  readonly after: number;
  readonly limit: number;
}

export type EndedHandler = (tenantId: TenantId, invocationId: InvocationId) => void;

export interface QueueFollower {
  /** A pass over everything that stands begins: on the first connection, and on each one after it. What was told before is void. */
  restarted(): void;
  /** An entry stands, or takes the place of an earlier one of the same invocation. Of one that goes {@link QueueStore.onEnded} tells. */
  queued(entry: QueueEntry): void;
}

/**
 * Accepted invocations in JetStream: one message each, until its terminal record takes its place. Every write is on disk when it
 * resolves, as far as the server syncs (durability is checked elsewhere). All throw `bus_down` where nobody can tell what became of
 * the write, and `store_full` where the server has no room.
 */
export interface QueueStore extends RecordReader {
  /** False when the tenant has an invocation of that id, queued or finished. */
  accept(key: QueueKey, terms: QueueTerms, head: unknown, body: Uint8Array): Promise<boolean>;
  /** The entry as it stands; undefined when it is finished, or has been queued again. */
  read(entry: QueueEntry): Promise<QueuedInvocation | undefined>;
  /** Puts a later attempt in its place: its sequence, or undefined when it does not stand any more. */
  again(invocation: QueuedInvocation, terms: QueueTerms, head: unknown): Promise<number | undefined>;
  /** Stores the terminal record, and what comes of it, and takes the entry away, in one write. False: another record came first, and stays. */
  finish(key: QueueKey, record: unknown, body: Uint8Array, along?: Along): Promise<boolean>;
  list(kind: ListedKind, page: ListedPage): Promise<readonly Listed[]>;
  /** How many there are of a kind, of all tenants. */
  count(kind: ListedKind): Promise<number>;
  findDead(tenantId: TenantId, invocationId: InvocationId): Promise<Listed | undefined>;
  /** Takes one of a listing away, if it still stands. */
  remove(listed: Pick<Listed, "sequence">): Promise<void>;
  find(tenantId: TenantId, invocationId: InvocationId): Promise<FoundInvocation | undefined>;
  /**
   * Every entry of a partition, or of all, as it stands, then each new one; over any number of connections. `ready`: the first pass is done. The server looks through all that is queued
   * for each follower: all at once is one pass.
   */
  follow(partition: number | "all", follower: QueueFollower): { readonly ready: Promise<void>; close(): void };
  /** Tells of every record that any broker stores, as it happens and not again: whoever missed it and reads the entry finds nothing. */
  onEnded(handler: EndedHandler): void;
}
