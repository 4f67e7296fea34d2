import type { Credential } from "./link.ts";

/** All that brokers need of a bus: where it is, who they are on it, and what lets them admit and evict agents. */
export interface BusAccess {
  /** Where brokers reach it. */
  readonly servers: readonly string[];
  readonly ca?: string | undefined;
  readonly core: Credential;
  readonly fleet: Credential;
  /** Public key of the fleet account, `A…`. */
  readonly fleetAccountKey: string;
  /** Seed of the scoped key that signs agents. */
  readonly agentSignerSeed: string;
  /** What it takes to evict an agent at once; without it credentials live shorter and brokers refuse who was revoked. */
  readonly revocation?: Revocation | undefined;
}

export interface Revocation {
  readonly system: Credential;
  /** Seed of the operator, which signs the fleet account anew. */
  readonly operatorSeed: string;
}
