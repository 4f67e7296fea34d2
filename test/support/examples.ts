import { join } from "node:path";
import type { FunctionDocument } from "@longshore/protocol";
import { buildExample, type ExampleName, exampleFolder } from "longshore/examples";
import { createEngineImages } from "longshore/local-images";
import { finishDocument, overlay } from "../../packages/cli/src/function-file/draft.ts";
import { readFunctionFile } from "../../packages/cli/src/function-file/yaml-file.ts";

/** Builds an example in this machine's engine; its document is what its own `longshore.yaml` says. */
export async function exampleDocument(name: ExampleName): Promise<FunctionDocument> {
  const image = await buildExample(name, createEngineImages());
  const written = readFunctionFile(join(exampleFolder(name), "longshore.yaml"), {});
  return finishDocument(overlay(written, { values: { image }, locate: () => "image" }));
}
