import { serverOnFolder } from "../embedded/server.ts";
import { createFolderAside } from "./folder-aside.ts";
import { stateFolders } from "./folder-files.ts";
import { startBusOn } from "./reach-bus.ts";
import { refused, restoreFiles, restoreStreams, type Restored, type RestoreWork } from "./restore-parts.ts";

/**
 * Restores into a data folder with an embedded bus. All of it is made in a folder aside, which takes its place once it is complete; what
 * stood there is moved, never removed.
 */
export async function restoreFolder(work: RestoreWork): Promise<Restored & { readonly fleetAccountKey: string }> {
  const { dataFolder, natsServer } = work.config;
  const pid = serverOnFolder(dataFolder);
  if (pid !== undefined) throw refused(work, `the bus of ${dataFolder} runs (process ${pid}); stop its broker first`);
  const standing = stateFolders(dataFolder);
  if (standing.length > 0 && !work.replace) throw refused(work, `${dataFolder} holds a fleet already (${standing.join(", ")}); restore into another folder, or say --replace to put the backup in its place`);
  const aside = createFolderAside(dataFolder);
  try {
    await restoreFiles(work.file, aside.folder, () => true);
    const bus = await startBusOn(aside.folder, natsServer, work.log);
    const restored = await restoreStreams(bus.streams, work).finally(() => bus.close());
    return { ...restored, replacedFolder: aside.takePlace(work.nowMs), fleetAccountKey: bus.access.fleetAccountKey };
  } finally {
    aside.discard();
  }
}
