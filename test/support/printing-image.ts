import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { type LayerFile, makeRegistryImage, type RegistryImage } from "./registry-image.ts";

/** The machine's own shell and its tools in one file. */
export const busybox: LayerFile = { name: "bin/busybox", content: readFileSync("/bin/busybox") };

/** A file that no other image has, and that cannot be packed. */
export const noise = (bytes: number): LayerFile => ({ name: `noise-${randomBytes(4).toString("hex")}`, content: randomBytes(bytes) });

/** An image whose program prints a text. */
export function printing(text: string, below: readonly LayerFile[][] = [[busybox]], architecture?: string): RegistryImage {
  return makeRegistryImage([...below, [{ name: "text", content: Buffer.from(text) }]], { Entrypoint: ["/bin/busybox", "cat", "/text"] }, architecture);
}
