import { LongshoreError, type Revision, revisionSchema } from "@longshore/protocol";
import { z } from "zod";
import { functionKey } from "./revision.ts";
import { seal, type SealKey, unseal } from "./seal.ts";

/** A revision at rest: as it is, but for the values of its secrets. */
const storedRevisionSchema = z.object({ revision: revisionSchema, sealedSecrets: z.string().optional() });

/** A function at rest. One that was removed keeps its counter, so that no number is ever used again. */
export const storedFunctionSchema = z.object({
  lastRevision: z.number().int().nonnegative(),
  deleted: z.boolean(),
  /** Newest first; the first one is current. */
  revisions: z.array(storedRevisionSchema),
});
export type StoredFunction = z.output<typeof storedFunctionSchema>;

/** How many revisions are kept, and how many bytes of them (a bucket's entry is one message). */
const maxRevisions = 20;
const maxStoredBytes = 768 * 1024;

/** What stands after another revision was made; the oldest ones go where there are too many. */
export function withRevision(stored: StoredFunction | undefined, revision: Revision, key: SealKey): StoredFunction {
  const revisions = [toStored(revision, key), ...(stored?.revisions ?? [])].slice(0, maxRevisions);
  let next: StoredFunction = { lastRevision: revision.revision, deleted: false, revisions };
  while (next.revisions.length > 1 && Buffer.byteLength(JSON.stringify(next)) > maxStoredBytes) {
    next = { ...next, revisions: next.revisions.slice(0, -1) };
  }
  return next;
}

/** What stands after the function was removed. */
export function withoutRevisions(stored: StoredFunction): StoredFunction {
  return { lastRevision: stored.lastRevision, deleted: true, revisions: [] };
}

/** The revisions of a function, newest first, with their secrets. */
export function openRevisions(stored: StoredFunction, key: SealKey): Revision[] {
  return stored.revisions.map(({ revision, sealedSecrets }) => {
    if (sealedSecrets === undefined) return revision;
    const secrets = readSecrets(unseal(sealedSecrets, placeOf(revision), key));
    return { ...revision, spec: { ...revision.spec, secrets } };
  });
}

function toStored(revision: Revision, key: SealKey): StoredFunction["revisions"][number] {
  const { secrets } = revision.spec;
  if (Object.keys(secrets).length === 0) return { revision };
  return {
    revision: { ...revision, spec: { ...revision.spec, secrets: {} } },
    sealedSecrets: seal(JSON.stringify(secrets), placeOf(revision), key),
  };
}

/** Secrets open only for the revision that they were sealed for. */
function placeOf({ tenantId, functionName, revision }: Revision): string {
  return `${functionKey(tenantId, functionName)}.${revision}`;
}

function readSecrets(text: string): Record<string, string> {
  const parsed = z.record(z.string(), z.string()).safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  throw new LongshoreError("unexpected", "Cannot read a function's secrets: they were written by another version", { cause: parsed.error });
}
