import type { InvocationId, TenantId } from "@longshore/protocol";
import { z } from "zod";

/** Whose body it is, and which of the two. A body has one owner: none is shared. */
export interface BodyOwner {
  readonly tenantId: TenantId;
  readonly invocationId: InvocationId;
  readonly kind: "payload" | "answer";
}

/** How whoever owns a body names it, with what it must come to when it is read. */
export const storedBodySchema = z.object({
  /** Of that one writing; who writes the same body again has another. */
  writing: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  byteLength: z.number().int().nonnegative(),
  /** base64url. */
  sha256: z.string(),
});
export type StoredBody = z.infer<typeof storedBodySchema>;

/** A body on its way into the store. */
export interface BodyWriting {
  /** Takes bytes, and resolves once there is room for more: so much may be on its way. Throws `bus_down`, `store_full`. */
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves once all of it is on disk. Throws the same. */
  end(): Promise<StoredBody>;
  /** Takes away what was written of it. What cannot be taken away now lasts as long as any body that nobody names. */
  abandon(): Promise<void>;
}

/** A body that is stored, whoever may name it. */
export interface ListedBody {
  readonly owner: BodyOwner;
  readonly writing: string;
  /** When its last part was stored, epoch milliseconds by the server's clock. */
  readonly writtenAtMs: number;
}

/**
 * Bodies that are too long to stand with their invocations, on disk. Whoever owns one names it in its entry, record or dead letter, which
 * is written once the body is whole; one that nobody names is found by {@link list} and removed.
 */
export interface BodyStore {
  /** Begins one that goes by itself after so many milliseconds, whoever names it. */
  write(owner: BodyOwner, lifeMs: number): BodyWriting;
  /** Its parts in order, no more of them held than one read brings. Throws `body_lost` where it is not what it must come to, at the latest in place of its end; `bus_down`. */
  read(owner: BodyOwner, body: StoredBody): AsyncIterable<Uint8Array>;
  /** Takes it away, where it is there. Throws `bus_down`. */
  remove(owner: BodyOwner, writing: string): Promise<void>;
  /** Throws `bus_down`. */
  list(): Promise<readonly ListedBody[]>;
}

