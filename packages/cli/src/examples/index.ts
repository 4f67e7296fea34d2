/** The examples of the repository. Not part of the published package's interface: for `longshore up --examples` and for tests. */
export { buildExample } from "./build-example.ts";
export { exampleFolder, type ExampleName, exampleNames, firstExamples } from "./example-folder.ts";
