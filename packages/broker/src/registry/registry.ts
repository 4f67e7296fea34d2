import { type FunctionName, LongshoreError, type Revision, type TenantId } from "@longshore/protocol";
import type { Logger } from "pino";
import type { Store } from "../bus/bus.ts";
import { Documents } from "../identity/documents.ts";
import { loadFleetKey } from "./fleet-key.ts";
import { type Definition, digestOf, functionKey, makeRevision } from "./revision.ts";
import type { SealKey } from "./seal.ts";
import { openRevisions, type StoredFunction, storedFunctionSchema, withoutRevisions, withRevision } from "./stored-function.ts";

export interface RegistryOptions {
  readonly store: Store;
  /** 32 bytes, base64; absent: the fleet's own key. */
  readonly sealKeyFile?: string | undefined;
  readonly log: Logger;
}

/** A change of a function: which revision was current, and which is. */
export interface FunctionChange {
  readonly tenantId: TenantId;
  readonly functionName: FunctionName;
  readonly before: Revision | undefined;
  readonly after: Revision | undefined;
}

/** What came of a deploy: the revision that stands, and whether it is new and the function with it. */
export interface Stored {
  readonly revision: Revision;
  readonly created: boolean;
  readonly changed: boolean;
}

/**
 * The functions of the fleet, in a bucket that every broker watches. Reads are from memory; changes go by compare-and-set.
 *
 * Invariants: G1 a revision's number is never used again, also after the function was removed. G2 a revision is made only when
 * something changed. G3 secrets are nowhere at rest in the clear.
 */
export class Registry {
  readonly #options: RegistryOptions;
  readonly #documents: Documents<StoredFunction>;
  readonly #functions = new Map<string, readonly Revision[]>();
  readonly #byDigest = new Map<string, Revision>();
  readonly #handlers: ((change: FunctionChange) => void)[] = [];
  #key: SealKey | undefined;
  #isReady = false;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#documents = new Documents({ store: options.store, name: "functions", schema: storedFunctionSchema, log: options.log });
    this.#documents.onChange((key, stored) => this.#take(key, stored));
  }

  /** Resolves once every function has been read. */
  async start(): Promise<void> {
    this.#key = await loadFleetKey(this.#options.store, this.#options.sealKeyFile);
    await this.#documents.start();
    this.#isReady = true;
  }

  close(): void {
    this.#documents.close();
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** Told of every function that is made, changed or removed, by whichever broker. */
  onChange(handler: (change: FunctionChange) => void): void {
    this.#handlers.push(handler);
  }

  /** The current revision, as far as this broker knows. */
  find(tenantId: TenantId, functionName: FunctionName): Revision | undefined {
    return this.#functions.get(functionKey(tenantId, functionName))?.[0];
  }

  /** The current revision of that digest; undefined when it is not current any more. */
  current(digest: string): Revision | undefined {
    return this.#byDigest.get(digest);
  }

  /** The current revisions of all functions, or of one tenant's, by name. */
  list(tenantId?: TenantId): Revision[] {
    return [...this.#byDigest.values()]
      .filter((revision) => tenantId === undefined || revision.tenantId === tenantId)
      .sort((a, b) => (a.functionName < b.functionName ? -1 : 1));
  }

  /** A function's revisions, newest first; throws `function_not_found`. */
  revisions(tenantId: TenantId, functionName: FunctionName): readonly Revision[] {
    const revisions = this.#functions.get(functionKey(tenantId, functionName));
    if (revisions === undefined) throw functionNotFound(functionName);
    return revisions;
  }

  /** Makes a revision of a definition, unless it equals what stands. Throws `revision_conflict` when another deploy came between. */
  async put(definition: Definition, createdAt: Date): Promise<Stored> {
    const functionName = definition.spec.name;
    const key = functionKey(definition.tenantId, functionName);
    const found = await this.#documents.read(key);
    const current = found === undefined ? undefined : openRevisions(found.value, this.#sealKey)[0];
    if (current !== undefined && digestOf(definition, current.revision) === current.digest) return { revision: current, created: false, changed: false }; // G2
    const revision = makeRevision(definition, (found?.value.lastRevision ?? 0) + 1, createdAt); // G1
    const next = withRevision(found?.value, revision, this.#sealKey); // G3
    const isWritten = found === undefined ? await this.#documents.create(key, next) : await this.#documents.replace(key, next, found.revision);
    if (!isWritten) throw new LongshoreError("revision_conflict", `Cannot deploy "${functionName}": another deploy of it came first`);
    return { revision, created: current === undefined, changed: true };
  }

  /** Removes a function; throws `function_not_found`. */
  async remove(tenantId: TenantId, functionName: FunctionName): Promise<void> {
    const removed = await this.#documents.change(functionKey(tenantId, functionName), (stored) => {
      if (stored === undefined || stored.deleted) throw functionNotFound(functionName);
      return withoutRevisions(stored);
    });
    if (removed === undefined) throw functionNotFound(functionName);
  }

  get #sealKey(): SealKey {
    if (this.#key === undefined) throw new Error("the registry has not started");
    return this.#key;
  }

  #take(key: string, stored: StoredFunction | undefined): void {
    const before = this.#functions.get(key)?.[0];
    const revisions = stored === undefined ? [] : this.#open(key, stored);
    const after = revisions[0];
    if (after === undefined) this.#functions.delete(key);
    else this.#functions.set(key, revisions);
    if (before?.digest === after?.digest) return;
    if (before !== undefined) this.#byDigest.delete(before.digest);
    if (after !== undefined) this.#byDigest.set(after.digest, after);
    const known = after ?? before;
    if (known === undefined) return;
    const change = { tenantId: known.tenantId as TenantId, functionName: known.functionName, before, after };
    for (const handler of this.#handlers) handler(change);
  }

  /** A function that cannot be opened (sealed with another key) must not take the others with it. */
  #open(key: string, stored: StoredFunction): Revision[] {
    try {
      return openRevisions(stored, this.#sealKey);
    } catch (err) {
      this.#options.log.error({ err, function: key }, "function cannot be opened");
      return [];
    }
  }
}

/** The error for a function that is not there; it says nothing of other tenants' functions. */
export function functionNotFound(functionName: string): LongshoreError {
  return new LongshoreError("function_not_found", `Cannot find function "${functionName}"`, { phase: "admission" });
}
