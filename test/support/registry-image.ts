import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";

/** An image as a registry holds it. */
export interface RegistryImage {
  readonly digest: string;
  readonly manifest: Buffer;
  readonly manifestType: string;
  /** Config and layers, by digest. */
  readonly blobs: ReadonlyMap<string, Buffer>;
}

export interface LayerFile {
  readonly name: string;
  readonly content: Buffer;
}

export const manifestType = "application/vnd.docker.distribution.manifest.v2+json";
export const manifestListType = "application/vnd.docker.distribution.manifest.list.v2+json";
export const digestOf = (bytes: Buffer) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** Makes an image of one layer for each list of executable files. */
export function makeRegistryImage(layers: readonly (readonly LayerFile[])[], config: { readonly Cmd?: readonly string[]; readonly Entrypoint?: readonly string[] }, architecture = "amd64"): RegistryImage {
  const tars = layers.map((files) => tarOf(files));
  const packed = tars.map((tar) => gzipSync(tar, { level: 1 }));
  const document = Buffer.from(JSON.stringify({ architecture, os: "linux", config, rootfs: { type: "layers", diff_ids: tars.map(digestOf) } }));
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: { mediaType: "application/vnd.docker.container.image.v1+json", size: document.length, digest: digestOf(document) },
      layers: packed.map((layer) => ({ mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip", size: layer.length, digest: digestOf(layer) })),
    }),
  );
  return { digest: digestOf(manifest), manifest, manifestType, blobs: new Map([document, ...packed].map((blob) => [digestOf(blob), blob])) };
}

/** A list that names one image for each architecture. */
export function makeManifestList(images: Readonly<Record<string, RegistryImage>>): RegistryImage {
  const manifests = Object.entries(images).map(([architecture, { digest, manifest }]) => ({ mediaType: manifestType, size: manifest.length, digest, platform: { architecture, os: "linux" } }));
  const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: manifestListType, manifests }));
  return { digest: digestOf(manifest), manifest, manifestType: manifestListType, blobs: new Map() };
}

/** An archive of executable files (POSIX ustar). */
function tarOf(files: readonly LayerFile[]): Buffer {
  const entries = files.flatMap(({ name, content }) => [headerOf(name, content.length), content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
  return Buffer.concat([...entries, Buffer.alloc(1024)]);
}

function headerOf(name: string, size: number): Buffer {
  const header = Buffer.alloc(512);
  const field = (text: string, at: number) => header.write(text, at, "latin1");
  field(name, 0);
  field("0000755\0" + "0000000\0" + "0000000\0", 100);
  field(`${size.toString(8).padStart(11, "0")}\0${"0".repeat(11)}\0        0`, 124);
  field("ustar\x0000", 257);
  field(`${header.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}
