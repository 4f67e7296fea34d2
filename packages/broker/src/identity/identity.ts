import { agentIdSchema, formatJoinToken, type JoinAnswer, type JoinRequest, type Labels, LongshoreError, parseName, siteIdSchema, type TenantId, type TokenAnswer } from "@longshore/protocol";
import type { Logger } from "pino";
import type { BusAccess } from "../bus/access.ts";
import type { Store } from "../bus/bus.ts";
import { pushAccountClaims } from "../bus/claims-push.ts";
import { Admission, type RenewRequest } from "./admission.ts";
import { Agents } from "./agents.ts";
import { ApiKeys, type Caller } from "./api-keys.ts";
import { JoinTokens } from "./join-tokens.ts";
import { nkeyFromSeed } from "./nkey.ts";
import { Revocations } from "./revocations.ts";
import { Sites } from "./sites.ts";

const dayMs = 24 * 60 * 60_000;
/** Where credentials cannot be taken back at the servers, they live shorter. */
const unrevocableLifeMs = 60 * 60_000;

export interface IdentityOptions {
  readonly store: Store;
  readonly access: BusAccess;
  /** The broker's addresses as hosts reach them: `https://…`. Asked whenever a token is made. */
  readonly joinUrls: () => readonly string[];
  /** The bus's addresses as agents reach them: `tls://…`, or `nats://…` on loopback. */
  readonly agentServers: () => readonly string[];
  /** The CA (PEM) of both, and its SHA-256, where they are not publicly trusted. */
  readonly ca?: { readonly pem: string; readonly sha256: string } | undefined;
  /** How long an agent's credential is valid; default 24 h, or 1 h where it cannot be revoked. */
  readonly credentialLifeMs?: number;
  readonly log: Logger;
  readonly now?: () => number;
}

export interface TokenRequest {
  readonly site: string;
  readonly labels: Labels;
  readonly agentId?: string | undefined;
  readonly regions?: readonly string[] | undefined;
}

/** Who may do what: callers by API key, hosts by token, agents by credential. */
export interface Identity {
  readonly agents: Agents;
  readonly sites: Sites;
  /** Tells who calls, or throws `key_missing` or `token_invalid`. On loopback a caller without a key is the default tenant. */
  authenticate(bearer: string | undefined, from: { readonly loopback: boolean }): Caller;
  /** Makes a further API key. It cannot be read again. */
  createKey(tenantId: TenantId): Promise<string>;
  /** A join token as one word; makes the site where it is new. Throws `bad_name` or `bad_schema` naming the field. */
  createToken(request: TokenRequest): Promise<TokenAnswer>;
  /** Trades a token for a credential. Throws `token_invalid`, `token_used`, `token_expired`, `not_allowed`. */
  join(request: JoinRequest): Promise<JoinAnswer>;
  /** Signs a fresh credential for an agent that proves its key. Throws `token_invalid`, `token_expired`, `not_allowed`. */
  renew(agentId: string, request: RenewRequest): Promise<JoinAnswer>;
  /** Takes an agent's credential back; its connections are gone when this resolves. Throws `agent_not_found`. */
  revokeAgent(agentId: string): Promise<void>;
  /** Opens what is stored. `firstKey` is there once in a fleet's life: show it, it is kept as a hash only. */
  start(): Promise<{ readonly firstKey: string | undefined }>;
  close(): void;
}

/** Identity as it is kept on the bus; begins with {@link Identity.start}, once the bus is up. */
export function createIdentity(options: IdentityOptions): Identity {
  return new StoredIdentity(options);
}

class StoredIdentity implements Identity {
  readonly agents: Agents;
  readonly sites: Sites;
  readonly #options: IdentityOptions;
  readonly #keys: ApiKeys;
  readonly #tokens: JoinTokens;
  readonly #revocations: Revocations;
  readonly #admission: Admission;
  readonly #now: () => number;

  constructor(options: IdentityOptions) {
    const { store, access, log } = options;
    const credentialLifeMs = options.credentialLifeMs ?? (access.revocation === undefined ? unrevocableLifeMs : dayMs);
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.agents = new Agents(store, log);
    this.sites = new Sites(store, log);
    this.#keys = new ApiKeys(store, log);
    this.#tokens = new JoinTokens(store, log);
    this.#revocations = new Revocations({ store, access, credentialLifeMs, pushClaims: pushAccountClaims, log });
    this.#admission = new Admission({
      tokens: this.#tokens,
      agents: this.agents,
      signer: nkeyFromSeed(access.agentSignerSeed, "account"),
      fleetAccountKey: access.fleetAccountKey,
      credentialLifeMs,
      agentServers: options.agentServers,
      ca: options.ca?.pem,
      revoke: (publicKey) => this.#revocations.revoke(publicKey, this.#now()),
      now: this.#now,
    });
  }

  async start(): Promise<{ readonly firstKey: string | undefined }> {
    await Promise.all(this.#parts.map((part) => part.start()));
    return { firstKey: await this.#keys.createFirst() };
  }

  close(): void {
    for (const part of this.#parts) part.close();
  }

  get #parts() {
    return [this.agents, this.sites, this.#keys, this.#tokens, this.#revocations] as const;
  }

  authenticate(bearer: string | undefined, from: { readonly loopback: boolean }): Caller {
    return this.#keys.authenticate(bearer, from);
  }

  createKey(tenantId: TenantId): Promise<string> {
    return this.#keys.create(tenantId);
  }

  async createToken(request: TokenRequest): Promise<TokenAnswer> {
    const siteId = parseName(siteIdSchema, request.site, "site");
    const agentId = request.agentId === undefined ? undefined : parseName(agentIdSchema, request.agentId, "agentId");
    const own = Object.keys(request.labels).find((key) => key.startsWith("host/"));
    if (own !== undefined) throw new LongshoreError("bad_schema", `Cannot set label "${own}": what begins with host/ is said by the host itself`, { field: "labels" });
    await this.sites.ensure(siteId, request.regions);
    const { id, secret, expiresAtMs } = await this.#tokens.create({ siteId, labels: request.labels, agentId }, this.#now());
    const { ca, joinUrls } = this.#options;
    const token = formatJoinToken({ v: 1, urls: [...joinUrls()], ...(ca !== undefined && { caSha256: ca.sha256 }), id, secret });
    return { token, siteId, expiresAt: new Date(expiresAtMs).toISOString() };
  }

  join(request: JoinRequest): Promise<JoinAnswer> {
    return this.#admission.join(request);
  }

  renew(agentId: string, request: RenewRequest): Promise<JoinAnswer> {
    return this.#admission.renew(agentId, request);
  }

  async revokeAgent(agentId: string): Promise<void> {
    const agent = await this.agents.update(parseName(agentIdSchema, agentId, "agentId"), (known) => ({ ...known, revoked: true }));
    await this.#revocations.revoke(agent.publicKey, this.#now());
  }
}
