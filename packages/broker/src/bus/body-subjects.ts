import type { InvocationId, TenantId } from "@longshore/protocol";
import type { BodyOwner } from "./body-store.ts";

/** In order of names behind the queue's: a backup has the bodies of all that it has. */
export const bodyStreamName = "queue-bodies";
const prefix = "longshore.v1.body";

/** All that the stream takes in. */
export const bodySubjects = `${prefix}.>`;

/** Where all parts of a body stand. The writing's name is ours, or was checked. */
export function bodySubject({ tenantId, invocationId, kind }: BodyOwner, writing: string): string {
  return `${prefix}.${tenantId}.${invocationId}.${kind}.${writing}`;
}

/** Takes a subject of the stream apart; undefined when it is not one that {@link bodySubject} made. */
export function parseBodySubject(subject: string): { readonly owner: BodyOwner; readonly writing: string } | undefined {
  if (!subject.startsWith(`${prefix}.`)) return undefined;
  const [tenantId, invocationId, kind, writing] = subject.slice(prefix.length + 1).split(".");
  if (writing === undefined || (kind !== "payload" && kind !== "answer")) return undefined;
  return { owner: { tenantId: tenantId as TenantId, invocationId: invocationId as InvocationId, kind }, writing };
}
