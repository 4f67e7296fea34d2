import { join } from "node:path";
import type { DeployAnswer } from "@longshore/protocol";
import type { Fleet } from "../fleet.ts";
import { finishDocument, overlay } from "../function-file/draft.ts";
import { readFunctionFile } from "../function-file/yaml-file.ts";
import { createEngineImages } from "../local-images/engine-images.ts";
import type { Progress } from "../terminal/progress.ts";
import { buildExample } from "./build-example.ts";
import { type ExampleName, exampleFolder, firstExamples } from "./example-folder.ts";

interface DeployExamplesOptions {
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly environment: NodeJS.ProcessEnv;
}

/** Builds the first examples in this machine's engine and deploys them, each as its own `longshore.yaml` says. */
export async function deployExamples(fleet: Fleet, options: DeployExamplesOptions): Promise<void> {
  // One after the other: both may have to make a base image.
  for (const name of firstExamples) await deployExample(name, fleet, options);
}

/** Builds and deploys one example. */
export async function deployExample(name: ExampleName, fleet: Fleet, { progress, signal, environment }: DeployExamplesOptions): Promise<DeployAnswer> {
  const shown = `example ${name}`;
  progress.update(shown, "building");
  const image = await buildExample(name, createEngineImages(), { signal });
  progress.update(shown, "deploying");
  const written = readFunctionFile(join(exampleFolder(name), "longshore.yaml"), environment);
  const document = finishDocument(overlay(written, { values: { image }, locate: () => "image" }));
  const answer = await fleet.deploy(document, { signal, local: true });
  progress.update(shown, answer.function.contract === "http" ? `answers at /f/${name}/` : "is ready to be invoked");
  return answer;
}
