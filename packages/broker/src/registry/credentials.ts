import { LongshoreError, parseImageReference, parseInput, parseRegistryHost, type RegistryCredential, registryLoginSchema, type RegistryView, type Revision, type TenantId } from "@longshore/protocol";
import type { Logger } from "pino";
import { z } from "zod";
import type { Store } from "../bus/bus.ts";
import { Documents } from "../identity/documents.ts";
import { loadFleetKey } from "./fleet-key.ts";
import { seal, type SealKey, unseal } from "./seal.ts";

/** Credentials at rest: the password only under seal. */
const storedCredentialSchema = z.object({
  tenantId: z.string(),
  host: z.string(),
  username: z.string(),
  sealedPassword: z.string(),
  updatedAt: z.string(),
});
type StoredCredential = z.output<typeof storedCredentialSchema>;

/** A tenant has this many at most. */
const maxPerTenant = 256;

export interface RegistryCredentialsOptions {
  readonly store: Store;
  /** 32 bytes, base64; absent: the fleet's own key. */
  readonly sealKeyFile?: string | undefined;
  readonly log: Logger;
}

/** Tells the credentials for an image's registry. */
export interface CredentialBook {
  /** What a tenant's images are pulled with from the registry that the reference names; undefined: anonymously. */
  find(tenantId: string, reference: string): RegistryCredential | undefined;
}

/**
 * What tenants' images are pulled with, one credential for each registry, in a bucket that every broker watches. Invariants: K1 a
 * password is nowhere at rest in the clear, and opens only for its tenant and host. K2 a credential is found for its own host alone.
 */
export class RegistryCredentials implements CredentialBook {
  readonly #options: RegistryCredentialsOptions;
  readonly #documents: Documents<StoredCredential>;
  readonly #handlers: ((tenantId: string, host: string) => void)[] = [];
  #key: SealKey | undefined;

  constructor(options: RegistryCredentialsOptions) {
    this.#options = options;
    this.#documents = new Documents({ store: options.store, name: "registry-credentials", schema: storedCredentialSchema, log: options.log });
    this.#documents.onChange((key) => {
      const [tenantId, host] = splitKey(key);
      for (const handler of this.#handlers) handler(tenantId, host);
    });
  }

  /** Resolves once all have been read. */
  async start(): Promise<void> {
    this.#key = await loadFleetKey(this.#options.store, this.#options.sealKeyFile);
    await this.#documents.start();
  }

  close(): void {
    this.#documents.close();
  }

  /** Told of every credential that is set or forgotten, by whichever broker. */
  onChange(handler: (tenantId: string, host: string) => void): void {
    this.#handlers.push(handler);
  }

  find(tenantId: string, reference: string): RegistryCredential | undefined {
    const stored = this.#documents.peek(keyOf(tenantId, registryOf(reference)));
    if (stored === undefined) return undefined;
    try {
      return { username: stored.username, password: unseal(stored.sealedPassword, placeOf(stored), this.#sealKey) };
    } catch (err) {
      this.#options.log.error({ err, registry: stored.host }, "registry credential cannot be opened");
      return undefined;
    }
  }

  /** By host. */
  list(tenantId: TenantId): RegistryView[] {
    const own = [...this.#documents.values()].filter((stored) => stored.tenantId === tenantId);
    return own.map(viewOf).sort((a, b) => (a.host < b.host ? -1 : 1));
  }

  /** Sets what a tenant has for a host. Throws `bad_name`, `bad_schema`, or `quota` when it has too many. */
  async set(tenantId: TenantId, host: string, document: unknown, updatedAt: Date): Promise<RegistryView> {
    const known = parseRegistryHost(host);
    const { username, password } = parseInput(registryLoginSchema, document, "registry credentials");
    if (this.#documents.peek(keyOf(tenantId, known)) === undefined && this.list(tenantId).length >= maxPerTenant) {
      throw new LongshoreError("quota", `Cannot keep credentials for "${known}": there are ${maxPerTenant} already`, { phase: "admission" });
    }
    const sealedPassword = seal(password, placeOf({ tenantId, host: known }), this.#sealKey); // K1
    const stored = { tenantId, host: known, username, sealedPassword, updatedAt: updatedAt.toISOString() };
    await this.#documents.change(keyOf(tenantId, known), () => stored);
    return viewOf(stored);
  }

  /** Throws `registry_not_found` when the tenant has none for that host. */
  async remove(tenantId: TenantId, host: string): Promise<void> {
    const known = parseRegistryHost(host);
    const key = keyOf(tenantId, known);
    if (this.#documents.peek(key) === undefined) throw new LongshoreError("registry_not_found", `Cannot find credentials for registry "${known}"`, { phase: "admission" });
    await this.#documents.remove(key);
  }

  get #sealKey(): SealKey {
    if (this.#key === undefined) throw new Error("the registry credentials have not been read");
    return this.#key;
  }
}

/** The registry that a revision's image comes from. */
export function registryOfRevision({ image }: Pick<Revision, "image">): string {
  return registryOf(image.reference);
}

function registryOf(reference: string): string {
  return parseImageReference(reference).registry.toLowerCase();
}

/** A host has no underscore, and a key no colon. */
function keyOf(tenantId: string, host: string): string {
  return `${tenantId}.${host.replace(":", "_")}`;
}

function splitKey(key: string): [tenantId: string, host: string] {
  const dot = key.indexOf(".");
  return [key.slice(0, dot), key.slice(dot + 1).replace("_", ":")];
}

function placeOf({ tenantId, host }: Pick<StoredCredential, "tenantId" | "host">): string {
  return `registry-credential ${tenantId} ${host}`;
}

function viewOf({ host, username, updatedAt }: StoredCredential): RegistryView {
  return { host, username, updatedAt };
}
