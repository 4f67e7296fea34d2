import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { link, mkdtemp, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { LongshoreError } from "@longshore/protocol";
import type { Logger } from "pino";
import type { KeptStreams } from "../bus/kept-streams.ts";
import { queueStreamName } from "../bus/queue-subjects.ts";
import type { StreamSettings } from "../bus/stored-message.ts";
import type { BrokerConfig } from "../config.ts";
import { productVersion } from "../version.ts";
import { readFolderFiles } from "./folder-files.ts";
import { filePath, streamPath } from "./manifest.ts";
import { reachBus } from "./reach-bus.ts";
import { spoolStream } from "./spool-stream.ts";
import { type PartSource, writeArchive } from "./write-archive.ts";

export interface BackUpOptions {
  /** Where the backup goes; it must not be there yet. */
  readonly file: string;
  readonly log: Logger;
  readonly now?: () => Date;
}

/** What is in a backup. */
export interface BackupSummary {
  readonly file: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly streams: number;
  readonly messages: number;
  readonly sizeBytes: number;
  /** A key file of the operator's that functions' secrets are sealed with; it is not in the backup. */
  readonly sealKeyFile: string | undefined;
}

/**
 * Writes a fleet's state into one file, readable by its owner alone: every stream on disk, and the keys and the authority of the data
 * folder. The fleet may run. Each stream is as of one moment after the beginning, so that nothing acknowledged before is missing; the
 * queue comes first, so that what it calls is in the others. The file appears whole or not at all.
 */
export async function backUp(config: BrokerConfig, { file, log, now = () => new Date() }: BackUpOptions): Promise<BackupSummary> {
  const target = resolve(file);
  if (existsSync(target)) throw new LongshoreError("state_exists", `Cannot back up to "${file}": it is there already`, { field: "file" });
  const createdAt = now().toISOString();
  // Beside the file, where it has to fit anyway: what is spooled is as secret as the backup.
  const work = await mkdtemp(join(dirname(target), `.${basename(target)}-`)).catch((cause: unknown) => {
    throw new LongshoreError("bad_schema", `Cannot back up to "${file}": ${(cause as Error).message}`, { field: "file", cause });
  });
  try {
    const bus = await reachBus(config, log);
    try {
      const sources = [...(await spoolStreams(bus.streams, work)), ...fileSources(config.dataFolder, config.busCredentials === undefined)];
      const archive = join(work, "archive.tar");
      await writeArchive(archive, { productVersion, createdAt, fleetAccountKey: bus.access.fleetAccountKey }, sources);
      await link(archive, target); // Unlike a rename it takes the place of nothing.
      return { file, createdAt, ...sum(sources), sealKeyFile: config.sealKeyFile };
    } finally {
      await bus.close();
    }
  } finally {
    await rm(work, { recursive: true });
  }
}

async function spoolStreams(streams: KeptStreams, work: string): Promise<PartSource[]> {
  const sources: PartSource[] = [];
  for (const settings of (await streams.list()).toSorted(queueFirst)) {
    const file = join(work, `${settings.name}.jsonl`);
    const { messages, sizeBytes, sha256 } = await spoolStream(streams, settings, file);
    sources.push({ path: streamPath(settings.name), sizeBytes, sha256, stream: { settings, messages }, content: { file } });
  }
  return sources;
}

const queueFirst = (a: StreamSettings, b: StreamSettings) => Number(b.name === queueStreamName) - Number(a.name === queueStreamName) || (a.name < b.name ? -1 : 1);

/** With a cluster of the operator's own only the authority is this broker's. */
function fileSources(dataFolder: string, isEmbedded: boolean): PartSource[] {
  return readFolderFiles(dataFolder)
    .filter(({ path }) => isEmbedded || path.startsWith("certificates/"))
    .map(({ path, bytes }) => ({ path: filePath(path), sizeBytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex"), content: bytes }));
}

function sum(sources: readonly PartSource[]): Pick<BackupSummary, "streams" | "messages" | "sizeBytes"> {
  let [streams, messages, sizeBytes] = [0, 0, 0];
  for (const source of sources) {
    sizeBytes += source.sizeBytes;
    if (source.stream === undefined) continue;
    streams += 1;
    messages += source.stream.messages;
  }
  return { streams, messages, sizeBytes };
}
