import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { writeSecret } from "../identity/secret-file.ts";

/**
 * What a broker's data folder has that the bus has not, and that is not made from it: the keys and account JWTs of an embedded bus (with
 * who was revoked, as the server was told last), and the authority that hosts and callers trust.
 */
const kept = /^(nats\/keys\.json|nats\/accounts\.json|nats\/accounts\/[A-Z0-9]+\.jwt|certificates\/(ca|ca-key|server|server-key)\.pem)$/;
const folders = ["nats", "nats/accounts", "certificates"];

/** A file of the data folder, its path relative to that. */
export interface FolderFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Whether a backup may bring a file of that path. */
export const isKeptFile = (path: string) => kept.test(path);

/** Reads those that there are. */
export function readFolderFiles(dataFolder: string): FolderFile[] {
  return folders
    .flatMap((folder) => (existsSync(join(dataFolder, folder)) ? readdirSync(join(dataFolder, folder)).map((name) => `${folder}/${name}`) : []))
    .filter(isKeptFile)
    .map((path) => ({ path, bytes: readFileSync(join(dataFolder, path)) }));
}

/** Writes one, readable by its owner alone. */
export function writeFolderFile(dataFolder: string, { path, bytes }: FolderFile): void {
  const file = join(dataFolder, path);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeSecret(file, bytes);
}

/** The folders in which a fleet's state is, of those that there are. */
export function stateFolders(dataFolder: string): ("nats" | "certificates")[] {
  return (["nats", "certificates"] as const).filter((name) => existsSync(join(dataFolder, name)) && readdirSync(join(dataFolder, name)).length > 0);
}
