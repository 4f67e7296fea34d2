import type { KeptStreams } from "../bus/kept-streams.ts";
import { createFolderAside } from "./folder-aside.ts";
import { stateFolders } from "./folder-files.ts";
import { reachCluster } from "./reach-bus.ts";
import { refused, restoreFiles, restoreStreams, type Restored, type RestoreWork } from "./restore-parts.ts";

/**
 * Restores onto a cluster of the operator's own, and the broker's authority into its data folder. What was begun is taken away when it
 * cannot be completed; what is replaced is gone by then.
 */
export async function restoreCluster(work: RestoreWork, credentialsFolder: string): Promise<Restored & { readonly fleetAccountKey: string }> {
  const bus = await reachCluster(credentialsFolder);
  const { dataFolder } = work.config;
  try {
    if (await bus.streams.hasBrokers()) throw refused(work, "a broker is connected to the bus; stop all of them first");
    await makeRoom(work, bus.streams);
    const aside = createFolderAside(dataFolder);
    try {
      await restoreFiles(work.file, aside.folder, isAuthority);
      const restored = await restoreStreams(bus.streams, work).catch(async (error: unknown) => {
        await removeAll(bus.streams).catch((err: unknown) => work.log.error({ err }, "what was begun could not be taken away"));
        throw error;
      });
      return { ...restored, replacedFolder: aside.takePlace(work.nowMs), fleetAccountKey: bus.access.fleetAccountKey };
    } finally {
      aside.discard();
    }
  } finally {
    await bus.close();
  }
}

const isAuthority = (path: string) => path.startsWith("certificates/");

/** Refuses what stands, or removes it where it is to be replaced. */
async function makeRoom(work: RestoreWork, streams: KeptStreams): Promise<void> {
  const names = (await streams.list()).map(({ name }) => name);
  const folders = stateFolders(work.config.dataFolder);
  if ((names.length > 0 || folders.length > 0) && !work.replace) {
    const what = names.length > 0 ? `the bus holds a fleet already (${names.join(", ")})` : `${work.config.dataFolder} holds a fleet's state already (${folders.join(", ")})`;
    throw refused(work, `${what}; say --replace to put the backup in its place`);
  }
  await removeAll(streams);
}

async function removeAll(streams: KeptStreams): Promise<void> {
  for (const { name } of await streams.list()) await streams.remove(name);
}
