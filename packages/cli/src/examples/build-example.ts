import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { localRegistry } from "../image/build.ts";
import type { BuildOptions, EngineImages } from "../local-images/engine-images.ts";
import { ensureLocalBase, localBaseFor } from "../local-images/local-base.ts";
import { type ExampleName, exampleFolder } from "./example-folder.ts";

/**
 * Builds an example in this machine's engine and returns the image's reference. The public base image that its Dockerfile names is used
 * where the engine has it already; else a base made of this machine's own programs stands in, so that nothing is pulled.
 * Throws an ImageBuildError.
 */
export async function buildExample(name: ExampleName, images: EngineImages, options: Pick<BuildOptions, "onLine" | "signal"> = {}): Promise<string> {
  const folder = exampleFolder(name);
  const reference = `${localRegistry}/example/${name}:latest`;
  const buildArgs = await chooseBase(await readFile(join(folder, "Dockerfile"), "utf8"), images);
  await images.build(reference, folder, { ...options, buildArgs });
  return reference;
}

/** The build argument `BASE`, where the Dockerfile's own default would have to be pulled and this machine has a stand-in. */
async function chooseBase(dockerfile: string, images: EngineImages): Promise<Record<string, string>> {
  const publicBase = /^ARG BASE=(\S+)$/m.exec(dockerfile)?.[1];
  if (publicBase === undefined || (await images.has(publicBase))) return {};
  const localBase = localBaseFor(publicBase);
  return localBase === undefined ? {} : { BASE: await ensureLocalBase(localBase, images) };
}
