import { inlineBodyBytes, type InvocationId, type TenantId } from "@longshore/protocol";
import type { BodyOwner, BodyStore, BodyWriting, StoredBody } from "../bus/body-store.ts";
import { deadLifeMs } from "../bus/queue-store.ts";

/** What an invocation is sent: bytes that stand with it, or a body that is stored on its own. */
export type Payload = Uint8Array | StoredBody;

const nothing = new Uint8Array(0);
/** What stands in the queue may be looked at so much longer than its own time: by an agent that is cut off, by a broker that takes it up. */
const graceMs = 2 * 24 * 3_600_000;

/** An invocation that is to be, or is, in the queue. */
interface OfInvocation {
  readonly tenantId: TenantId;
  readonly invocationId: InvocationId;
}

export const payloadOwner = ({ tenantId, invocationId }: OfInvocation): BodyOwner => ({ tenantId, invocationId, kind: "payload" });
export const byteLengthOf = (payload: Payload): number => (payload instanceof Uint8Array ? payload.length : payload.byteLength);
/** What of it stands with its invocation. */
export const inlineOf = (payload: Payload): Uint8Array => (payload instanceof Uint8Array ? payload : nothing);
/** What of it is stored on its own. */
export const storedPartOf = (payload: Payload): { readonly payload?: StoredBody } => (payload instanceof Uint8Array ? {} : { payload });

/** Begins to store a payload on its own. It is there for as long as its invocation may need it, or its dead letter. `expiresAtMs`: when that is not begun any more. */
export function writePayload(bodies: Pick<BodyStore, "write">, invocation: OfInvocation, expiresAtMs: number, nowMs: number): BodyWriting {
  return bodies.write(payloadOwner(invocation), Math.max(0, expiresAtMs - nowMs) + deadLifeMs + graceMs);
}

/** Stores what comes as long as that succeeds; what was stored by then is taken away where it does not. */
export async function storeParts(writing: BodyWriting, parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<StoredBody> {
  try {
    for await (const part of parts) await writing.write(part);
    return await writing.end();
  } catch (error) {
    await writing.abandon();
    throw error;
  }
}

/** A payload as it goes to an agent: whole, or in parts as they are read. */
export function payloadToSend(bodies: Pick<BodyStore, "read">, { body, ...invocation }: OfInvocation & { readonly body: Uint8Array }, payload: StoredBody | undefined): Uint8Array | AsyncIterable<Uint8Array> {
  return payload === undefined ? body : bodies.read(payloadOwner(invocation), payload);
}

/** True for bytes that are too many to stand with their invocation. */
export const isLong = (payload: Payload): payload is Uint8Array => payload instanceof Uint8Array && payload.length > inlineBodyBytes;
