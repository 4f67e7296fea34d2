import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import Docker from "dockerode";
import { createEngineImages, type FileTree, fingerprintTree, packTree } from "longshore/local-images";

const docker = new Docker();
const images = createEngineImages(docker);

/** The one file of {@link ensureScratchImage}. */
export const staticProgram = "/program";

/**
 * An image from nothing, as `FROM scratch` with a static executable: no shell, no library, no `/etc`, no `/tmp`. The executable is this
 * host's dynamic loader, which is one on every Linux; `arguments` are its arguments.
 */
export async function ensureScratchImage(programArguments: readonly string[]): Promise<string> {
  const { sharedObjects } = process.report.getReport() as unknown as { sharedObjects: readonly string[] };
  const loader = sharedObjects.find((path) => /\/ld-[^/]*\.so[^/]*$/.test(path));
  if (loader === undefined) throw new Error("This process has no dynamic loader");
  const tree: FileTree = { [staticProgram]: { source: realpathSync(loader), mode: 0o755 } };
  const reference = `longshore-test/scratch:${await fingerprintTree({ ...tree, "/arguments": { content: JSON.stringify(programArguments) } })}`;
  if (!(await images.has(reference))) await images.importTree(reference, tree, [`ENTRYPOINT ${JSON.stringify([staticProgram, ...programArguments])}`]);
  return reference;
}

const emptyLayer = Buffer.alloc(1024); // An archive's end.

/**
 * An image of no file whose config is written by hand, in the engine's own words: no builder checks it, only what the engine itself
 * checks at `docker load`, whose refusal is thrown.
 */
export async function loadHandMadeImage(config: object | null): Promise<string> {
  const hash = (bytes: string | Buffer) => createHash("sha256").update(bytes).digest("hex");
  const architecture = { x64: "amd64" }[process.arch as string] ?? process.arch;
  const document = JSON.stringify({ architecture, os: "linux", config, rootfs: { type: "layers", diff_ids: [`sha256:${hash(emptyLayer)}`] } });
  const reference = `longshore-test/hand-made:${hash(document).slice(0, 16)}`;
  const manifest = [{ Config: "config.json", RepoTags: [reference], Layers: ["layer.tar"] }];
  const archive = packTree({ "/config.json": { content: document }, "/layer.tar": { content: emptyLayer }, "/manifest.json": { content: JSON.stringify(manifest) } });
  let account = "";
  for await (const chunk of await docker.loadImage(archive)) account += String(chunk);
  if (account.includes('"errorDetail"')) throw new Error(account);
  return reference;
}
