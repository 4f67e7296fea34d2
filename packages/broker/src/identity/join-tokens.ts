import { randomBytes, timingSafeEqual } from "node:crypto";
import { type AgentId, agentIdSchema, labelsSchema, LongshoreError, type SiteId, siteIdSchema, type Labels } from "@longshore/protocol";
import type { Logger } from "pino";
import { z } from "zod";
import type { Store } from "../bus/bus.ts";
import { hashOf } from "./api-keys.ts";
import { Documents, type Versioned } from "./documents.ts";

/** How long a token can be used. */
export const tokenLifeMs = 15 * 60_000;
/** How long it is remembered, so that a second use hears `token_used` and a host whose answer was lost can ask again. */
const tokenKeptMs = 24 * 60 * 60_000;

const storedTokenSchema = z.object({
  secretHash: z.string(),
  siteId: siteIdSchema,
  labels: labelsSchema,
  /** The agent's name, where the operator chose it. */
  agentId: agentIdSchema.optional(),
  expiresAtMs: z.number(),
  /** Who used it. */
  claim: z.object({ publicKey: z.string(), agentId: agentIdSchema }).optional(),
});
export type StoredToken = z.infer<typeof storedTokenSchema>;

/** What an operator asks a token for. */
export interface TokenGrant {
  readonly siteId: SiteId;
  readonly labels: Labels;
  readonly agentId: AgentId | undefined;
}

/** Join tokens: single use, kept as hashes. */
export class JoinTokens {
  readonly #documents: Documents<StoredToken>;

  constructor(store: Store, log: Logger) {
    this.#documents = new Documents({ store, name: "join-tokens", schema: storedTokenSchema, lifeMs: tokenKeptMs, log });
  }

  start(): Promise<void> {
    return this.#documents.start();
  }

  close(): void {
    this.#documents.close();
  }

  async create(grant: TokenGrant, nowMs: number): Promise<{ id: string; secret: string; expiresAtMs: number }> {
    const id = randomBytes(8).toString("hex");
    const secret = randomBytes(32).toString("base64url");
    const expiresAtMs = nowMs + tokenLifeMs;
    const { siteId, labels, agentId } = grant;
    await this.#documents.create(id, { secretHash: hashOf(secret), siteId, labels, expiresAtMs, ...(agentId !== undefined && { agentId }) });
    return { id, secret, expiresAtMs };
  }

  /**
   * The token, if this key may use it: unused and in time, or used by the same key before. Throws `token_invalid`, `token_used` or
   * `token_expired`.
   */
  async usable(tokenId: string, secret: string, publicKey: string, nowMs: number): Promise<Versioned<StoredToken>> {
    const token = /^[0-9a-f]{1,64}$/.test(tokenId) ? await this.#documents.read(tokenId) : undefined;
    if (token === undefined || !isSame(token.value.secretHash, hashOf(secret))) throw refused("token_invalid", "it is not known here");
    const { claim, expiresAtMs } = token.value;
    if (claim === undefined && nowMs > expiresAtMs) throw refused("token_expired", "it is older than 15 minutes; create another");
    if (claim !== undefined && claim.publicKey !== publicKey) throw refused("token_used", "another host has used it; create another");
    return token;
  }

  /** Notes who uses the token, as what; false when another was faster. */
  claim(tokenId: string, token: Versioned<StoredToken>, publicKey: string, agentId: AgentId): Promise<boolean> {
    return this.#documents.replace(tokenId, { ...token.value, claim: { publicKey, agentId } }, token.revision);
  }
}

function refused(reason: "token_invalid" | "token_used" | "token_expired", why: string): LongshoreError {
  return new LongshoreError(reason, `Cannot accept the join token: ${why}`, { field: "secret" });
}

function isSame(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
