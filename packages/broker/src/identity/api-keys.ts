import { createHash, randomBytes } from "node:crypto";
import { LongshoreError, type TenantId, tenantIdSchema } from "@longshore/protocol";
import type { Logger } from "pino";
import { z } from "zod";
import type { Store } from "../bus/bus.ts";
import { Documents } from "./documents.ts";

const mark = "lsk_";
/** The tenant of a fleet that has only one. */
export const defaultTenant = "default" as TenantId;

const apiKeySchema = z.object({ hash: z.string(), tenantId: tenantIdSchema, createdAt: z.string() });
type ApiKey = z.infer<typeof apiKeySchema>;

/** The bucket's entry of the key that every fleet is born with: making it decides which broker made it. */
const firstEntry = "first";

/** Who calls. */
export interface Caller {
  readonly tenantId: TenantId;
}

/** API keys: known by hash only, each of one tenant. */
export class ApiKeys {
  readonly #documents: Documents<ApiKey>;
  readonly #tenantOf = new Map<string, TenantId>();
  readonly #hashOf = new Map<string, string>();

  constructor(store: Store, log: Logger) {
    this.#documents = new Documents({ store, name: "api-keys", schema: apiKeySchema, log });
    this.#documents.onChange((entry, key) => this.#changed(entry, key));
  }

  start(): Promise<void> {
    return this.#documents.start();
  }

  close(): void {
    this.#documents.close();
  }

  /** Makes the first key of a fleet that has none; undefined when it has. It cannot be read again: show it now. */
  async createFirst(): Promise<string | undefined> {
    const { secret, key } = newKey(defaultTenant);
    return (await this.#documents.create(firstEntry, key)) ? secret : undefined;
  }

  /** Makes a further key. It cannot be read again. */
  async create(tenantId: TenantId): Promise<string> {
    const { secret, key } = newKey(tenantId);
    await this.#documents.create(key.hash, key);
    return secret;
  }

  /**
   * Tells whose key it is, or throws `token_invalid`; `key_missing` where there is none and the caller is not on this machine.
   * On loopback a caller without a key is the default tenant.
   */
  authenticate(bearer: string | undefined, { loopback }: { loopback: boolean }): Caller {
    if (bearer === undefined) {
      if (loopback) return { tenantId: defaultTenant };
      throw new LongshoreError("key_missing", "Cannot tell who calls: send an API key as Authorization: Bearer lsk_…");
    }
    const tenantId = bearer.startsWith(mark) ? this.#tenantOf.get(hashOf(bearer)) : undefined;
    if (tenantId === undefined) throw new LongshoreError("token_invalid", "Cannot accept the API key: it is not known here");
    return { tenantId };
  }

  #changed(entry: string, key: ApiKey | undefined): void {
    const previous = this.#hashOf.get(entry);
    if (previous !== undefined) this.#tenantOf.delete(previous);
    if (key === undefined) return;
    this.#hashOf.set(entry, key.hash);
    this.#tenantOf.set(key.hash, key.tenantId);
  }
}

function newKey(tenantId: TenantId): { secret: string; key: ApiKey } {
  const secret = mark + randomBytes(32).toString("base64url");
  return { secret, key: { hash: hashOf(secret), tenantId, createdAt: new Date().toISOString() } };
}

/** A key has 256 random bits, so that a plain hash is enough. */
export function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
