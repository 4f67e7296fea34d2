import { randomBytes } from "node:crypto";
import { type AwsKey, type AwsKeyView, LongshoreError, type TenantId } from "@longshore/protocol";
import type { Logger } from "pino";
import { z } from "zod";
import type { Store } from "../bus/bus.ts";
import { Documents } from "../identity/documents.ts";
import { loadFleetKey } from "../registry/fleet-key.ts";
import { seal, type SealKey, unseal } from "../registry/seal.ts";

/** A key pair at rest: the secret only under seal. */
const storedKeyPairSchema = z.object({ tenantId: z.string(), accessKeyId: z.string(), sealedSecret: z.string(), createdAt: z.string() });
type StoredKeyPair = z.output<typeof storedKeyPairSchema>;

/** Whose signatures are verified by which secret. */
export interface KeyPair {
  readonly tenantId: TenantId;
  readonly secretAccessKey: string;
}

/** A tenant has this many at most. */
const maxPerTenant = 100;
const idLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const idPattern = /^LSAK[A-Z2-7]{16}$/;

export interface KeyPairsOptions {
  readonly store: Store;
  /** 32 bytes, base64; absent: the fleet's own key. */
  readonly sealKeyFile?: string | undefined;
  readonly log: Logger;
}

/**
 * Key pairs that tenants made for AWS's clients, in a bucket that every broker watches. Verifying a signature needs the secret itself,
 * so it is kept: under seal, and shown once.
 */
export class KeyPairs {
  readonly #options: KeyPairsOptions;
  readonly #documents: Documents<StoredKeyPair>;
  #key: SealKey | undefined;

  constructor(options: KeyPairsOptions) {
    this.#options = options;
    this.#documents = new Documents({ store: options.store, name: "aws-keys", schema: storedKeyPairSchema, log: options.log });
  }

  /** Resolves once all have been read. */
  async start(): Promise<void> {
    this.#key = await loadFleetKey(this.#options.store, this.#options.sealKeyFile);
    await this.#documents.start();
  }

  close(): void {
    this.#documents.close();
  }

  /** Whose key that is; undefined when it is nobody's. */
  find(accessKeyId: string): KeyPair | undefined {
    if (!idPattern.test(accessKeyId)) return undefined;
    const stored = this.#documents.peek(accessKeyId);
    if (stored?.accessKeyId !== accessKeyId) return undefined;
    try {
      return { tenantId: stored.tenantId as TenantId, secretAccessKey: unseal(stored.sealedSecret, placeOf(stored), this.#sealKey) };
    } catch (err) {
      this.#options.log.error({ err, accessKeyId }, "AWS key pair cannot be opened");
      return undefined;
    }
  }

  /** A tenant's, oldest first. */
  list(tenantId: TenantId): AwsKeyView[] {
    const own = [...this.#documents.values()].filter((stored) => stored.tenantId === tenantId);
    return own.map(({ accessKeyId, createdAt }) => ({ accessKeyId, createdAt })).sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
  }

  /** Makes one; its secret is not shown again. Throws `quota` when the tenant has too many. */
  async create(tenantId: TenantId, createdAt: Date): Promise<AwsKey> {
    if (this.list(tenantId).length >= maxPerTenant) throw new LongshoreError("quota", `Cannot make an AWS key pair: there are ${maxPerTenant} already`, { phase: "admission" });
    const accessKeyId = `LSAK${Array.from(randomBytes(16), (byte) => idLetters[byte % idLetters.length]).join("")}`;
    const secretAccessKey = randomBytes(30).toString("base64url");
    const view = { accessKeyId, createdAt: createdAt.toISOString() };
    await this.#documents.change(accessKeyId, () => ({ ...view, tenantId, sealedSecret: seal(secretAccessKey, placeOf({ tenantId, accessKeyId }), this.#sealKey) }));
    return { ...view, secretAccessKey };
  }

  /** Its signatures are worth nothing from now on. Throws `aws_key_not_found` when the tenant has none of that id. */
  async remove(tenantId: TenantId, accessKeyId: string): Promise<void> {
    const stored = idPattern.test(accessKeyId) ? this.#documents.peek(accessKeyId) : undefined;
    if (stored?.tenantId !== tenantId) throw new LongshoreError("aws_key_not_found", "Cannot find AWS key pair: there is none of that id", { phase: "admission", field: "id" });
    await this.#documents.remove(accessKeyId);
  }

  get #sealKey(): SealKey {
    if (this.#key === undefined) throw new Error("the AWS key pairs have not been read");
    return this.#key;
  }
}

function placeOf({ tenantId, accessKeyId }: Pick<StoredKeyPair, "tenantId" | "accessKeyId">): string {
  return `aws-key ${tenantId} ${accessKeyId}`;
}
