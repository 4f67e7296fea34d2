import { createHash } from "node:crypto";
import { type FunctionName, type FunctionSpec, LongshoreError, type Revision, type RevisionImage, revisionIdOf, type TenantId } from "@longshore/protocol";

/** What a revision is made of, before it has a number. */
export interface Definition {
  readonly tenantId: TenantId;
  readonly spec: FunctionSpec;
  readonly image: RevisionImage;
}

/** A revision travels in the head of a frame, beside the caller's headers. */
const maxRevisionBytes = 128 * 1024;

/** Makes the revision of that number; throws `payload_too_large` for one that no message could carry. */
export function makeRevision(definition: Definition, revision: number, createdAt: Date): Revision {
  const { tenantId, spec, image } = definition;
  const functionName = spec.name;
  const made: Revision = {
    tenantId,
    functionName,
    revision,
    revisionId: revisionIdOf(functionName, revision),
    digest: digestOf(definition, revision),
    createdAt: createdAt.toISOString(),
    image,
    spec,
  };
  const byteLength = jsonBytes(made);
  if (byteLength > maxRevisionBytes) {
    const [what, field] = jsonBytes(image) > jsonBytes(spec) ? ["its image's config", "image"] : ["its document", "env"];
    throw new LongshoreError("payload_too_large", `Cannot deploy "${functionName}": ${what} takes too much of ${byteLength} bytes, of which at most ${maxRevisionBytes} can be sent to agents`, { field });
  }
  return made;
}

/** A revision as agents are sent it: without destinations, whose URLs may hold tokens and are none of their business. */
export function revisionForAgents(revision: Revision): Revision {
  const { destinations, ...spec } = revision.spec;
  return destinations === undefined ? revision : { ...revision, spec };
}

const jsonBytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

/**
 * Names a whole definition: 32 hex digits over tenant, function, number, image and everything set, secrets included. Equal digests
 * may share instances; a function that is removed and made again has another number, and so shares none.
 */
export function digestOf({ tenantId, spec, image }: Definition, revision: number): string {
  const text = canonicalJson([tenantId, spec.name, revision, image.digest, image.local, spec]);
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

/** JSON with sorted keys, so that equal values have equal texts. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (isPlain(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part));
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A function in a tenant, as keys of maps and buckets name it. */
export function functionKey(tenantId: string, functionName: FunctionName | string): string {
  return `${tenantId}.${functionName}`;
}
