import { type AgentId, type JoinAnswer, joinProofText, type JoinRequest, LongshoreError, renewClockToleranceMs, renewProofText } from "@longshore/protocol";
import type { Agents, JoinedAgent } from "./agents.ts";
import { agentJwt } from "./claims.ts";
import type { Versioned } from "./documents.ts";
import type { JoinTokens, StoredToken } from "./join-tokens.ts";
import { isPublicKey, type Nkey, verifyByUser } from "./nkey.ts";

/** How long an agent whose credential ran out may still ask for another: a host that was off over a holiday comes back by itself. */
export const renewalGraceMs = 30 * 24 * 60 * 60_000;

export interface AdmissionOptions {
  readonly tokens: JoinTokens;
  readonly agents: Agents;
  /** The scoped key that signs agents, and the account they belong to. */
  readonly signer: Nkey;
  readonly fleetAccountKey: string;
  readonly credentialLifeMs: number;
  /** Where agents reach the bus, and the CA they check it against. */
  readonly agentServers: () => readonly string[];
  readonly ca: string | undefined;
  /** Takes back what was issued to a key. */
  readonly revoke: (publicKey: string) => Promise<void>;
  readonly now: () => number;
}

/** A renewal as its agent sent it. */
export interface RenewRequest {
  readonly at: number;
  readonly proof: string;
}

/**
 * Lets hosts in: trades tokens for credentials, and credentials for fresh ones.
 *
 * Invariants: A1 one token admits one key. A2 the same key with the same token is answered again: its answer may have been lost.
 * A3 an id belongs to one key at a time: whoever takes it over has the former key revoked.
 */
export class Admission {
  readonly #options: AdmissionOptions;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Throws `token_invalid`, `token_used`, `token_expired`, or `not_allowed` for a key that was revoked. */
  async join(request: JoinRequest): Promise<JoinAnswer> {
    const { tokens, agents, now } = this.#options;
    const { tokenId, secret, publicKey } = request;
    checkProof(publicKey, joinProofText(tokenId), request.proof);
    for (;;) {
      const token = await tokens.usable(tokenId, secret, publicKey, now());
      const holder = agents.holderOf(publicKey);
      if (holder?.revoked === true) throw new LongshoreError("not_allowed", "Cannot join with this key: it was revoked; remove the host's data folder to make another");
      const agentId = token.value.claim?.agentId ?? token.value.agentId ?? holder?.agentId ?? agents.chooseId(request.hostName);
      if (!(await tokens.claim(tokenId, token, publicKey, agentId))) continue; // A1
      const agent = await this.#register(agentId, publicKey, token);
      if (agent !== undefined) return this.#answer(agent);
      await this.#chooseAgain(request);
    }
  }

  /** Throws `token_invalid` for a signature that is not the agent's, `not_allowed` when it was revoked, `token_expired` after the grace. */
  async renew(agentId: string, request: RenewRequest): Promise<JoinAnswer> {
    const { agents, now } = this.#options;
    const agent = agents.get(agentId);
    checkProof(agent?.publicKey ?? "", renewProofText(agentId, request.at), request.proof);
    if (agent === undefined || Math.abs(now() - request.at) > renewClockToleranceMs) {
      throw new LongshoreError("token_invalid", "Cannot renew the credential: the host's clock is more than five minutes off", { field: "at" });
    }
    if (agent.revoked) throw new LongshoreError("not_allowed", `Cannot renew the credential: agent "${agentId}" was revoked`);
    if (now() > Date.parse(agent.issuedAt) + this.#options.credentialLifeMs + renewalGraceMs) {
      throw new LongshoreError("token_expired", `Cannot renew the credential: agent "${agentId}" was away for more than 30 days; join again`);
    }
    return this.#answer(await agents.update(agent.agentId, (known) => ({ ...known, issuedAt: new Date(now()).toISOString() })));
  }

  /** Writes the agent down; undefined when its id, which nobody asked for by name, was taken meanwhile. */
  async #register(agentId: AgentId, publicKey: string, { value: token }: Versioned<StoredToken>): Promise<JoinedAgent | undefined> {
    const { agents } = this.#options;
    const issuedAt = new Date(this.#options.now()).toISOString();
    let former: string | undefined;
    const agent = await agents.documents.change(agentId, (known) => {
      former = known !== undefined && known.publicKey !== publicKey ? known.publicKey : undefined;
      const isTaken = former !== undefined && known?.revoked === false && token.agentId === undefined;
      if (isTaken) return undefined;
      const kept = former === undefined ? known : undefined;
      return { agentId, siteId: token.siteId, labels: token.labels, publicKey, joinedAt: kept?.joinedAt ?? issuedAt, issuedAt, cordoned: kept?.cordoned ?? false, revoked: false };
    });
    if (agent?.publicKey !== publicKey) return undefined;
    if (former !== undefined) await this.#options.revoke(former); // A3
    return agent;
  }

  /** Two hosts of one name chose the same free id at once: the second takes another. */
  async #chooseAgain({ tokenId, secret, publicKey, hostName }: JoinRequest): Promise<void> {
    const { tokens, agents, now } = this.#options;
    await tokens.claim(tokenId, await tokens.usable(tokenId, secret, publicKey, now()), publicKey, agents.chooseId(hostName));
  }

  #answer(agent: JoinedAgent): JoinAnswer {
    const { signer, fleetAccountKey, credentialLifeMs, agentServers, ca, now } = this.#options;
    const { agentId, siteId, labels, publicKey } = agent;
    const expiresAt = Math.floor((now() + credentialLifeMs) / 1000);
    const jwt = agentJwt(signer, { name: agentId, siteId, publicKey, accountKey: fleetAccountKey, expiresAt });
    return { agentId, siteId, labels, jwt, servers: [...agentServers()], ...(ca !== undefined && { ca }) };
  }
}

function checkProof(publicKey: string, text: string, proof: string): void {
  const isProven = isPublicKey(publicKey, "user") && verifyByUser(publicKey, text, Buffer.from(proof, "base64url"));
  if (!isProven) throw new LongshoreError("token_invalid", "Cannot tell who asks: the signature does not fit the key", { field: "proof" });
}
