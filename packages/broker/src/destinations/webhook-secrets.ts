import { randomBytes } from "node:crypto";
import { type TenantId, type WebhookSecret, webhookSecretOf } from "@longshore/protocol";
import type { Logger } from "pino";
import { z } from "zod";
import type { Store } from "../bus/bus.ts";
import { Documents } from "../identity/documents.ts";
import { loadFleetKey } from "../registry/fleet-key.ts";
import { seal, type SealKey, unseal } from "../registry/seal.ts";

/** A tenant's secrets at rest, under seal only. */
const storedSecretSchema = z.object({
  tenantId: z.string(),
  sealedSecret: z.string(),
  createdAt: z.string(),
  /** Those before it, newest first, each signed with until its time. */
  previous: z.array(z.object({ sealedSecret: z.string(), until: z.string() })),
});
type StoredSecret = z.output<typeof storedSecretSchema>;

/** How long webhooks are signed with a secret that was replaced. */
export const rotationMs = 24 * 60 * 60_000;
const maxPrevious = 4;
const secretBytes = 32;

export interface WebhookSecretsOptions {
  readonly store: Store;
  /** 32 bytes, base64; absent: the fleet's own key. */
  readonly sealKeyFile?: string | undefined;
  readonly log: Logger;
}

/**
 * What tenants' webhooks are signed with, in a bucket that every broker watches. Invariants: S1 a secret is nowhere at rest in the clear, and
 * opens only for its tenant. S2 all brokers sign with the same secret: it is made by compare-and-set.
 */
export class WebhookSecrets {
  readonly #options: WebhookSecretsOptions;
  readonly #documents: Documents<StoredSecret>;
  #key: SealKey | undefined;

  constructor(options: WebhookSecretsOptions) {
    this.#options = options;
    this.#documents = new Documents({ store: options.store, name: "webhook-secrets", schema: storedSecretSchema, log: options.log });
  }

  /** Resolves once all have been read. */
  async start(): Promise<void> {
    this.#key = await loadFleetKey(this.#options.store, this.#options.sealKeyFile);
    await this.#documents.start();
  }

  close(): void {
    this.#documents.close();
  }

  /** A tenant's; made when it has none. */
  async show(tenantId: TenantId, now: Date): Promise<WebhookSecret> {
    return this.#viewOf(await this.#find(tenantId, now), now);
  }

  /** A fresh one; whoever verifies with the one before it has 24 hours to change over. Of several at once, the last four are remembered. */
  async rotate(tenantId: TenantId, now: Date): Promise<WebhookSecret> {
    const fresh = this.#make(tenantId, now);
    const until = new Date(now.getTime() + rotationMs).toISOString();
    const stored = await this.#documents.change(tenantId, (before) => {
      const previous = before === undefined ? [] : [{ sealedSecret: before.sealedSecret, until }, ...valid(before, now)].slice(0, maxPrevious);
      return { ...fresh, previous };
    });
    return this.#viewOf(stored ?? fresh, now);
  }

  /** All that a webhook is to be signed with now, the tenant's own first. Rejects with `bus_down` where it has none and none can be made. */
  async signing(tenantId: TenantId, now: Date): Promise<readonly string[]> {
    const stored = await this.#find(tenantId, now);
    return [stored, ...valid(stored, now)].map(({ sealedSecret }) => this.#open(sealedSecret, tenantId));
  }

  async #find(tenantId: TenantId, now: Date): Promise<StoredSecret> {
    const known = this.#documents.peek(tenantId);
    if (known !== undefined) return known;
    const fresh = this.#make(tenantId, now);
    return (await this.#documents.change(tenantId, (found) => (found === undefined ? fresh : undefined))) ?? fresh; // S2
  }

  #make(tenantId: TenantId, now: Date): StoredSecret {
    const sealedSecret = seal(webhookSecretOf(randomBytes(secretBytes)), placeOf(tenantId), this.#sealKey); // S1
    return { tenantId, sealedSecret, createdAt: now.toISOString(), previous: [] };
  }

  #viewOf(stored: StoredSecret, now: Date): WebhookSecret {
    const [newest] = valid(stored, now);
    return { secret: this.#open(stored.sealedSecret, stored.tenantId), createdAt: stored.createdAt, ...(newest !== undefined && { previousUntil: newest.until }) };
  }

  #open(sealedSecret: string, tenantId: string): string {
    return unseal(sealedSecret, placeOf(tenantId), this.#sealKey);
  }

  get #sealKey(): SealKey {
    if (this.#key === undefined) throw new Error("the webhook secrets have not been read");
    return this.#key;
  }
}

function valid({ previous }: StoredSecret, now: Date): StoredSecret["previous"] {
  return previous.filter(({ until }) => Date.parse(until) > now.getTime());
}

function placeOf(tenantId: string): string {
  return `webhook-secret ${tenantId}`;
}
