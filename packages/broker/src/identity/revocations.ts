import type { Logger } from "pino";
import { z } from "zod";
import type { BusAccess } from "../bus/access.ts";
import type { Store } from "../bus/bus.ts";
import type { LinkTarget } from "../bus/link.ts";
import { fleetAccountJwt } from "./claims.ts";
import { Documents } from "./documents.ts";
import { nkeyFromSeed } from "./nkey.ts";

const listSchema = z.object({ revokedAt: z.record(z.string(), z.number()) });
type RevocationList = z.infer<typeof listSchema>;
const listEntry = "list";

/** Hands the servers a newly signed account JWT, as the system user. */
export type PushClaims = (system: LinkTarget, accountJwt: string) => Promise<void>;

export interface RevocationsOptions {
  readonly store: Store;
  readonly access: BusAccess;
  readonly credentialLifeMs: number;
  readonly pushClaims: PushClaims;
  readonly log: Logger;
}

/**
 * Credentials taken back before their time. The whole list is one document, and what the servers are given is made from it.
 *
 * Invariants: V1 a key in the list is refused by the servers, whatever was issued to it until then. V2 an older list never stays
 * with the servers: whoever pushed reads the list again, and pushes again if it has changed. V3 a key leaves the list once no credential
 * issued to it can still be valid.
 */
export class Revocations {
  readonly #documents: Documents<RevocationList>;
  readonly #access: BusAccess;
  readonly #credentialLifeMs: number;
  readonly #pushClaims: PushClaims;

  constructor({ store, access, credentialLifeMs, pushClaims, log }: RevocationsOptions) {
    this.#documents = new Documents({ store, name: "revocations", schema: listSchema, log });
    this.#access = access;
    this.#credentialLifeMs = credentialLifeMs;
    this.#pushClaims = pushClaims;
  }

  /** Opens the list, and gives the servers what it says: they may have been made anew meanwhile. */
  async start(): Promise<void> {
    await this.#documents.start();
    await this.push();
  }

  close(): void {
    this.#documents.close();
  }

  /** Takes back whatever was issued to a key until now; resolves when the servers know, and have dropped its connections. */
  async revoke(publicKey: string, nowMs: number): Promise<void> {
    const now = Math.floor(nowMs / 1000);
    await this.#documents.change(listEntry, (list) => ({ revokedAt: { ...prune(list?.revokedAt ?? {}, now - this.#credentialLifeMs / 1000), [publicKey]: now } }));
    await this.push();
  }

  /** Gives the servers the list as it stands. Without the operator's key nothing can be given: brokers refuse the agent themselves. */
  async push(): Promise<void> {
    const { revocation, fleetAccountKey, agentSignerSeed, servers, ca } = this.#access;
    if (revocation === undefined) return;
    const operator = nkeyFromSeed(revocation.operatorSeed, "operator");
    const account = { accountKey: fleetAccountKey, agentSignerKey: nkeyFromSeed(agentSignerSeed, "account").publicKey };
    let list = await this.#documents.read(listEntry);
    for (let pushed: number | undefined; list !== undefined && list.revision !== pushed; list = await this.#documents.read(listEntry)) {
      const jwt = fleetAccountJwt(operator, { ...account, revocations: list.value.revokedAt });
      await this.#pushClaims({ servers, ca, credential: revocation.system }, jwt);
      pushed = list.revision; // V2
    }
  }
}

/** The entries newer than a time (epoch seconds). V3 */
function prune(revokedAt: Readonly<Record<string, number>>, after: number): Record<string, number> {
  return Object.fromEntries(Object.entries(revokedAt).filter(([, at]) => at > after));
}
