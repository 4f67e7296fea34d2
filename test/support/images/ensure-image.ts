import { createHash } from "node:crypto";
import Docker from "dockerode";
import { createEngineImages, ensureLocalBase, type FileTree, fingerprintTree, packTree } from "longshore/local-images";
import { engineConfig, type ImageConfig } from "./image-config.ts";
import { treeOfPackages } from "./npm-tree.ts";
import { ensurePythonBase } from "./python-base.ts";

/**
 * `busybox` has a shell and the small Unix programs, `node` only Node, `python` Python with its library, `npm` Node and in `/app`
 * packages that others build their functions on.
 */
export type BaseName = "busybox" | "node" | "python" | "npm";

const packages = ["@google-cloud/functions-framework", "cloudevents", "fastify"];

export interface ImageContents {
  /** Files over the base's own, by absolute path; in text a mode such as 0o755 makes a script executable. */
  readonly files?: FileTree;
  readonly config: ImageConfig;
}

const docker = new Docker();
const images = createEngineImages(docker);
/** Bases and images made, or being made, by this process. */
const made = new Map<string, Promise<string>>();

/**
 * Makes sure that the engine has an image of these contents and returns its reference, `longshore-test/<base>:<hash>`. Images of equal
 * contents are made once and stay in the engine: nothing need be cleaned up.
 */
export async function ensureImage(base: BaseName, { files = {}, config }: ImageContents): Promise<string> {
  const baseReference = await once(base, () => ensureBase(base));
  const hash = createHash("sha256").update(JSON.stringify([baseReference, await fingerprintTree(files), config])).digest("hex").slice(0, 16);
  const reference = `longshore-test/${base}:${hash}`;
  return once(reference, async () => {
    if (!(await images.has(reference))) await layOver(baseReference, files, config, reference);
    return reference;
  });
}

function ensureBase(base: BaseName): Promise<string> {
  if (base === "python") return ensurePythonBase(images);
  return base === "npm" ? ensureImage("node", { files: treeOfPackages(packages, "/app"), config: {} }) : ensureLocalBase(base, images);
}

function once(name: string, make: () => Promise<string>): Promise<string> {
  const making = made.get(name) ?? make();
  made.set(name, making);
  making.catch(() => made.delete(name));
  return making;
}

/** Puts files over a base in a container that never runs, and keeps that as an image: the base's layer is shared. */
async function layOver(baseReference: string, files: FileTree, config: ImageConfig, reference: string): Promise<void> {
  // An entrypoint of the container's own keeps the base's command out of the image.
  const container = await docker.createContainer({ Image: baseReference, Entrypoint: ["/never-run"] });
  try {
    if (Object.keys(files).length > 0) await container.putArchive(packTree(files), { path: "/" });
    const [repo, tag] = reference.split(":");
    await container.commit({ _query: { container: container.id, repo, tag }, _body: engineConfig(config) });
  } finally {
    await container.remove({ force: true });
  }
}
