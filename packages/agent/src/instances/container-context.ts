import type { ContractName, ImageFacts, RegistryCredential, Revision } from "@longshore/protocol";
import type { Clock } from "../clock.ts";
import type { Contract, StartPlan } from "../contracts/contract.ts";
import type { Engine } from "../engine/engine.ts";
import type { Logger } from "../log.ts";
import type { LogStore, LogWriter } from "../logs/log-store.ts";
import type { FateWatch } from "./fates.ts";
import type { ImageShelf } from "./images.ts";

/** What a launcher works with. */
export interface LauncherOptions {
  readonly agentId: string;
  readonly siteId: string;
  readonly engine: Engine;
  readonly images: ImageShelf;
  /** What the revision's image is pulled with. */
  readonly credentialOf: (revision: Revision) => RegistryCredential | undefined;
  readonly fates: FateWatch;
  readonly contractOf: (name: ContractName) => Contract;
  /** `hold` for an architecture as images name it, where the engine can mount it from; undefined where there is none. */
  readonly holdFor: (architecture: string) => string | undefined;
  readonly logs: LogStore;
  readonly clock: Clock;
  readonly log: Logger;
  /** Random bytes; a nonce is 16 of them. */
  readonly randomBytes: (length: number) => Uint8Array;
}

/** What every container of the launcher's works with. */
export interface ContainerContext extends LauncherOptions {
  readonly instanceId: string;
  readonly revision: Revision;
  readonly contract: Contract;
  readonly start: StartPlan;
  readonly image: ImageFacts;
  readonly holdOnHost: string | undefined;
  readonly output: LogWriter;
}
