import { localRegistry } from "../image/build.ts";
import { busyboxTree, nodeTree } from "./base-tree.ts";
import type { EngineImages } from "./engine-images.ts";
import { type FileTree, fingerprintTree } from "./file-tree.ts";

interface LocalBase {
  readonly tree: () => Promise<FileTree>;
  /** As in the public image of the name. */
  readonly command: readonly string[];
}

/** Public base images that this machine can stand in for with its own programs, by the last part of their names. */
const localBases: Readonly<Record<string, LocalBase>> = {
  busybox: { tree: busyboxTree, command: ["sh"] },
  node: { tree: nodeTree, command: ["node"] },
};

/** The value of `PATH` in images that set none. */
export const imagePath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Makes sure that the engine has a base image made of this machine's own programs, and returns its reference. It is made once and again
 * when those programs change; nothing is pulled.
 */
export async function ensureLocalBase(name: "busybox" | "node", images: EngineImages): Promise<string> {
  const base = localBases[name];
  if (base === undefined) throw new TypeError(`There is no local base ${JSON.stringify(name)}`);
  const tree = await base.tree();
  const reference = `${localRegistry}/base/${name}:${await fingerprintTree(tree)}`;
  if (!(await images.has(reference))) {
    await images.importTree(reference, tree, [`ENV PATH=${imagePath}`, `CMD ${JSON.stringify(base.command)}`]);
  }
  return reference;
}

/** The stand-in for a public base image such as `docker.io/library/node:24-slim`; undefined when there is none for it. */
export function localBaseFor(reference: string): "busybox" | "node" | undefined {
  const name = /([^/:@]+)(?:[:@].*)?$/.exec(reference)?.[1];
  return name === "busybox" || name === "node" ? name : undefined;
}
