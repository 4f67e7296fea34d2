import { type DeployAnswer, functionNameSchema, parseName } from "@longshore/protocol";
import type { Fleet } from "../fleet.ts";
import { finishDocument } from "../function-file/draft.ts";
import { findSource } from "../function-file/source.ts";
import { buildImage } from "../image/build.ts";

/** What a folder is built and deployed with. */
export interface DevFolder {
  readonly folder: string;
  /** Flags that win over the folder's function file. */
  readonly flags: Parameters<typeof findSource>[0]["flags"];
  readonly buildArgs: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}

/** Reads the folder's function, checked but for its image. Throws UsageError or `bad_schema`. */
export function readFolder({ folder, flags, environment }: DevFolder): ReturnType<typeof finishDocument> & { readonly buildFolder: string } {
  const { draft, buildFolder = folder } = findSource({ operand: folder, file: undefined, flags, environment });
  return { ...finishDocument({ ...draft, values: { ...draft.values, image: "to-be-built" } }), buildFolder };
}

/** Builds the folder as it stands and deploys it; its function file is read anew. Throws what `deploy` does; `onOutput` is told what the build says. */
export async function buildAndDeploy(dev: DevFolder, fleet: Pick<Fleet, "deploy">, { signal, onOutput, onImage }: { readonly signal: AbortSignal; readonly onOutput: (text: string) => void; readonly onImage: (reference: string) => void }): Promise<DeployAnswer> {
  const { buildFolder, ...document } = readFolder(dev);
  const image = await buildImage({ folder: buildFolder, functionName: parseName(functionNameSchema, document.name, "NAME"), buildArgs: dev.buildArgs, signal, onOutput });
  onImage(image);
  return fleet.deploy({ ...document, image }, { local: true, signal });
}
