import { createHash } from "node:crypto";
import { z } from "zod";
import { streamSettingsSchema } from "../bus/kept-streams.ts";
import { damaged } from "./damaged.ts";
import { isKeptFile } from "./folder-files.ts";

/** The first two entries of the file. */
export const manifestName = "manifest.json";
export const checksumName = "manifest.sha256";
const format = "longshore-backup";
/** Of the file. A reader of another one refuses it. */
export const formatVersion = 1;

/** Where in the file a stream's messages are, one a line. */
export const streamPath = (name: string) => `streams/${name}.jsonl`;
/** Where in the file a file of the data folder is. */
export const filePath = (path: string) => `${filePrefix}${path}`;
/** Its path in the data folder. */
export const pathInFolder = (path: string) => path.slice(filePrefix.length);
const filePrefix = "files/";
const isFilePath = (path: string) => path.startsWith(filePrefix) && isKeptFile(pathInFolder(path));

const partSchema = z.object({
  /** Its name in the file. */
  path: z.string(),
  sizeBytes: z.number().int().nonnegative(),
  sha256: z.string(),
  /** What the part holds the messages of; absent: it is a file of the data folder. */
  stream: z.object({ settings: streamSettingsSchema, messages: z.number().int().nonnegative() }).optional(),
});
/** One part of a backup, as the manifest tells of it. */
export type Part = z.output<typeof partSchema>;

const contentSchema = z.object({
  format: z.literal(format),
  version: z.number(),
  productVersion: z.string(),
  /** ISO 8601: when it began. What was acknowledged before is in it. */
  createdAt: z.iso.datetime(),
  /** The account that agents' credentials are of: they hold on a bus with the same. */
  fleetAccountKey: z.string(),
  parts: z.array(partSchema),
});
/** What a backup says of itself, before all else in the file. */
export type Manifest = z.output<typeof contentSchema>;

/** As it stands in the file: the manifest, and its checksum as `sha256sum` writes it. */
export function formatManifest(content: Omit<Manifest, "format" | "version">): { readonly text: string; readonly checksum: string } {
  const text = `${JSON.stringify({ format, version: formatVersion, ...content }, undefined, 2)}\n`;
  return { text, checksum: `${sha256(text)}  ${manifestName}\n` };
}

/** Reads it back. Throws `backup_damaged` naming what is wrong. */
export function parseManifest(file: string, text: string, checksum: string): Manifest {
  const content = fromJson(text);
  const head = z.object({ format: z.literal(format), version: z.number() }).safeParse(content).data;
  if (head === undefined) throw damaged(file, `it is no backup of Longshore, or its ${manifestName} is damaged`);
  if (checksum !== `${sha256(text)}  ${manifestName}\n`) throw damaged(file, `${manifestName} does not match its checksum`);
  if (head.version !== formatVersion) throw damaged(file, `it is of format version ${head.version}, and this build reads version ${formatVersion}`);
  const manifest = contentSchema.safeParse(content).data;
  if (manifest === undefined) throw damaged(file, `${manifestName} is not as this format says`);
  const foreign = manifest.parts.find(({ path, stream }) => (stream === undefined ? !isFilePath(path) : path !== streamPath(stream.settings.name)));
  if (foreign !== undefined) throw damaged(file, `it has a part that no backup has: "${foreign.path}"`);
  return manifest;
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
