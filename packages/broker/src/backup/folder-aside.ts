import { mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { stateFolders } from "./folder-files.ts";

/** A folder in a data folder in which its next state is put together. */
export interface FolderAside {
  readonly folder: string;
  /** Puts it in the place of what stands, which is moved to a folder that is returned; undefined: nothing stood. */
  takePlace(nowMs: number): string | undefined;
  /** Removes it. Idempotent. */
  discard(): void;
}

/** Makes one, empty: what a restore left that was killed goes. */
export function createFolderAside(dataFolder: string): FolderAside {
  const folder = join(dataFolder, "restoring");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return {
    folder,
    takePlace(nowMs) {
      // What tells of the server that filled it: the broker's own writes these anew.
      for (const name of ["credentials", "ports", "nats-server.conf"]) rmSync(join(folder, "nats", name), { recursive: true, force: true });
      const replaced = moveAll(dataFolder, stateFolders(dataFolder), join(dataFolder, `replaced-${new Date(nowMs).toISOString().replaceAll(":", "")}`));
      moveAll(folder, stateFolders(folder), dataFolder);
      rmSync(folder, { recursive: true });
      return replaced;
    },
    discard: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function moveAll(from: string, names: readonly string[], to: string): string | undefined {
  if (names.length === 0) return undefined;
  mkdirSync(to, { recursive: true, mode: 0o700 });
  for (const name of names) {
    rmSync(join(to, name), { recursive: true, force: true }); // An empty folder of that name at most.
    renameSync(join(from, name), join(to, name));
  }
  return to;
}
