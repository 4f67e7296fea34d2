import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The examples, each a folder with an ordinary Dockerfile and a `longshore.yaml`. */
export const exampleNames = ["hello-http", "wordcount", "sse", "echo-ws"] as const;
export type ExampleName = (typeof exampleNames)[number];

/** The two that a new fleet gets at once: one that is called by HTTP, one that reads stdin. */
export const firstExamples = ["hello-http", "wordcount"] as const satisfies readonly ExampleName[];

/** The folder of an example: in the repository, or beside the built program in the published package. */
export function exampleFolder(name: ExampleName): string {
  const places = ["../../../../examples/", "./folders/"].map((place) => fileURLToPath(new URL(place, import.meta.url)));
  const place = places.find((candidate) => existsSync(join(candidate, name)));
  if (place === undefined) throw new Error(`Cannot find the example ${name}: looked in ${places.join(" and ")}`);
  return join(place, name);
}
