import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import tar from "tar-stream";
import { checksumName, formatManifest, type Manifest, manifestName, type Part } from "./manifest.ts";

/** A part and where its content is now. */
export interface PartSource extends Part {
  readonly content: Uint8Array | { readonly file: string };
}

/** Writes a backup's tar, readable by its owner alone; on disk when it resolves. Throws when the file is there. */
export async function writeArchive(file: string, head: Omit<Manifest, "format" | "version" | "parts">, sources: readonly PartSource[]): Promise<void> {
  const { text, checksum } = formatManifest({ ...head, parts: sources.map(({ content: _content, ...part }) => part) });
  const mtime = new Date(head.createdAt);
  const pack = tar.pack();
  const handle = await open(file, "wx", 0o600);
  const written = pipeline(pack, handle.createWriteStream({ flush: true }));
  const put = async () => {
    await putBytes(pack, { name: manifestName, mtime }, Buffer.from(text));
    await putBytes(pack, { name: checksumName, mtime }, Buffer.from(checksum));
    for (const { path, sizeBytes, content } of sources) {
      if (content instanceof Uint8Array) await putBytes(pack, { name: path, mtime }, content);
      else await pipeline(createReadStream(content.file), entry(pack, { name: path, mtime, size: sizeBytes }));
    }
    pack.finalize();
  };
  // Whichever fails first ends both.
  await Promise.all([written, put().catch((error: unknown) => void pack.destroy(error as Error))]);
}

const entry = (pack: tar.Pack, header: { name: string; mtime: Date; size: number }) => pack.entry({ ...header, mode: 0o600 });

/** Given whole: an entry that is piped into by an iterable of one piece over 16 KiB never ends (tar-stream 2.2). */
function putBytes(pack: tar.Pack, header: { name: string; mtime: Date }, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    pack.entry({ ...header, mode: 0o600, size: bytes.length }, Buffer.from(bytes), (error) => (error ? reject(error) : resolve()));
  });
}
