import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { LongshoreError } from "@longshore/protocol";
import type { Logger } from "pino";
import type { KeptStreams } from "../bus/kept-streams.ts";
import type { RestoredMessage, StreamSettings } from "../bus/stored-message.ts";
import type { BrokerConfig } from "../config.ts";
import { writeFolderFile } from "./folder-files.ts";
import { type Manifest, pathInFolder } from "./manifest.ts";
import { messageForNow } from "./message-for-now.ts";
import { parseMessageLine } from "./message-line.ts";
import { readArchive } from "./read-archive.ts";

/** One restore: a file that was found right, and where it goes. */
export interface RestoreWork {
  readonly file: string;
  readonly manifest: Manifest;
  readonly replace: boolean;
  readonly config: BrokerConfig;
  /** Epoch milliseconds. */
  readonly nowMs: number;
  readonly log: Logger;
}

/** What was made anew. */
export interface Restored {
  readonly streams: number;
  readonly messages: number;
  /** Messages of the backup whose life is over by now. */
  readonly expired: number;
  /** Where what was in the data folder before is now; undefined: there was nothing. */
  readonly replacedFolder: string | undefined;
}

/** A restore's refusal to touch what is there. */
export function refused({ file }: RestoreWork, why: string): LongshoreError {
  return new LongshoreError("state_exists", `Cannot restore "${file}": ${why}`);
}

/** Makes every stream of the backup, which must not be there, and counts what is in it afterwards. Throws what the bus throws; some may be made by then. */
export async function restoreStreams(streams: KeptStreams, { file, config, nowMs }: RestoreWork): Promise<Pick<Restored, "streams" | "messages" | "expired">> {
  const done = { streams: 0, messages: 0, expired: 0 };
  await readArchive(file, async ({ stream }, content) => {
    if (stream === undefined) return;
    const written = await streams.restore(stream.settings, config.busReplicas, messagesOf(content, stream.settings, nowMs));
    const found = await streams.count(stream.settings.name);
    if (found !== written) throw new LongshoreError("unexpected", `Cannot restore "${file}": stream "${stream.settings.name}" has ${found} of ${written} messages`);
    done.streams += 1;
    done.messages += written;
    done.expired += stream.messages - written;
  });
  return done;
}

async function* messagesOf(content: Readable, settings: StreamSettings, nowMs: number): AsyncGenerator<RestoredMessage> {
  for await (const line of createInterface({ input: content, crlfDelay: Infinity })) {
    const message = messageForNow(parseMessageLine(line), settings, nowMs);
    if (message !== undefined) yield message;
  }
}

/** Writes the backup's files of a data folder into one, those that are wanted. */
export async function restoreFiles(file: string, folder: string, isWanted: (path: string) => boolean): Promise<void> {
  await readArchive(file, async ({ path, stream }, content) => {
    if (stream === undefined && isWanted(pathInFolder(path))) writeFolderFile(folder, { path: pathInFolder(path), bytes: await buffer(content) });
  });
}
