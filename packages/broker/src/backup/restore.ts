import type { Logger } from "pino";
import type { BrokerConfig } from "../config.ts";
import { readArchive } from "./read-archive.ts";
import { restoreCluster } from "./restore-cluster.ts";
import { restoreFolder } from "./restore-folder.ts";
import type { RestoreWork, Restored } from "./restore-parts.ts";

export interface RestoreOptions {
  readonly file: string;
  /** Put it in the place of what is there. */
  readonly replace: boolean;
  readonly log: Logger;
  readonly now?: () => Date;
}

/** What was restored. */
export interface RestoreSummary extends Restored {
  readonly file: string;
  /** ISO 8601: the fleet is as it was then. */
  readonly createdAt: string;
  /** The bus has other accounts than the backup's: agents' credentials do not hold on it. */
  readonly agentsMustJoinAgain: boolean;
}

/**
 * Makes a fleet anew from a backup, while no broker of it runs. Throws `backup_damaged` for a file that is not whole, before anything is
 * touched, and `state_exists` where there is something already, or a broker runs.
 */
export async function restore(config: BrokerConfig, { file, replace, log, now = () => new Date() }: RestoreOptions): Promise<RestoreSummary> {
  const manifest = await readArchive(file, () => Promise.resolve());
  const work: RestoreWork = { file, manifest, replace, config, nowMs: now().getTime(), log };
  const { fleetAccountKey, ...restored } = await (config.busCredentials === undefined ? restoreFolder(work) : restoreCluster(work, config.busCredentials));
  return { file, createdAt: manifest.createdAt, ...restored, agentsMustJoinAgain: fleetAccountKey !== manifest.fleetAccountKey };
}
