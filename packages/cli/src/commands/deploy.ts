import { type DeployAnswer, functionNameSchema, parseName } from "@longshore/protocol";
import { defineCommand } from "../command-line/command.ts";
import type { Context } from "../command-line/context.ts";
import { UsageError } from "../command-line/usage-error.ts";
import { exampleNames } from "../examples/example-folder.ts";
import { finishDocument } from "../function-file/draft.ts";
import { functionOptions, readFunctionFlags } from "../function-file/flags.ts";
import { findSource } from "../function-file/source.ts";
import { buildImage } from "../image/build.ts";
import { inert, inertJson } from "../terminal/inert.ts";
import { createProgress } from "../terminal/progress.ts";
import { formatBytes } from "../terminal/quantity.ts";
import { showPulls } from "./pull-progress.ts";

const options = {
  file: { value: "PATH", short: "f", summary: "Function file (YAML or JSON), with the fields of the options below: memory: 256MiB" },
  ...functionOptions,
  buildArg: { value: "K=V", repeat: true, summary: "Folder: a value for an ARG of its Dockerfile" },
  local: { summary: "Take the image that an agent's engine has, and ask no registry" },
  example: { value: "NAME", summary: `Build and deploy an example: ${exampleNames.join(", ")}` },
} as const;

/** `longshore deploy` */
export const deploy = defineCommand({
  path: ["deploy"],
  summary: "Deploy a function from an image, a function file, or a folder with a Dockerfile",
  description:
    "A FOLDER is built with the local docker command where it names no image; what is in its longshore.yaml counts, and options win over that. " +
    "An image built here exists in this host's engine only, and runs only on agents of that engine. " +
    "Deploying again makes a new revision when something changed. All fields are in docs/operations.md.",
  options,
  arguments: { source: { optional: true, summary: "A function's name (with --image or -f), or a folder" } },
  rest: { value: "ARG...", summary: "Arguments for the image's program" },
  examples: [
    ["longshore deploy resize --image registry.plant:5000/resize:2 --memory 512MiB --timeout 10s", "An image as it is"],
    ["longshore deploy wordcount --image debian:12 -- wc -w", "A command-line image: stdin to stdout"],
    ["longshore deploy resize --image resize:dev --local", "An image that was built on an agent's host and is in no registry"],
    ["longshore deploy ./hello", "A folder with a Dockerfile"],
    ["longshore deploy -f longshore.yaml --site plant", "A function file, at one site"],
    ["longshore deploy --example sse", "An example, built from what this machine has"],
  ],
  run: async ({ args, options: given, rest }, context) => {
    if (given.example !== undefined) return tell(await deployNamedExample(given.example, context), context);
    const flags = readFunctionFlags(given, rest);
    const { draft, buildFolder } = findSource({ operand: args.source, file: given.file, flags, environment: context.environment });
    // Everything is checked before a build begins: a slip should not cost one.
    const checked = finishDocument(buildFolder === undefined ? draft : { ...draft, values: { ...draft.values, image: "to-be-built" } });
    const image = buildFolder === undefined ? checked.image : await buildImage({
      folder: buildFolder,
      functionName: parseName(functionNameSchema, checked.name, "NAME"),
      buildArgs: given.buildArg,
      signal: context.interrupts.signal(),
    });
    tell(await deployDocument({ ...checked, image }, given.local || buildFolder !== undefined, context), context);
  },
});

async function deployNamedExample(name: string, { fleet, terminal, json, interrupts, environment }: Context): Promise<DeployAnswer> {
  const known = exampleNames.find((candidate) => candidate === name);
  if (known === undefined) throw new UsageError(`Cannot deploy the example ${JSON.stringify(name)}: there are ${exampleNames.join(", ")}`);
  const { deployExample } = await import("../examples/deploy-examples.ts");
  return deployExample(known, fleet(), { progress: createProgress(terminal, json), signal: interrupts.signal(), environment });
}

async function deployDocument(document: ReturnType<typeof finishDocument>, local: boolean, { fleet, terminal, json, interrupts, now }: Context): Promise<DeployAnswer> {
  const progress = createProgress(terminal, json);
  try {
    return await fleet().deploy(document, { local, signal: interrupts.signal(), onProgress: showPulls(progress, now) });
  } finally {
    progress.finish();
  }
}

function tell(answer: DeployAnswer, { terminal, connection, json }: Context): void {
  if (json) return terminal.print(inertJson(answer));
  const { name, revisionId, contract, resolvedImage } = answer.function;
  const { style } = terminal;
  const what = answer.changed ? `Deployed ${name} as ${revisionId}` : `${name} is unchanged, still ${revisionId}`;
  terminal.print(style.bold(inert(what)));
  terminal.print(inert(`  contract  ${contract}: ${answer.contractBecause}`));
  terminal.print(inert(`  image     ${resolvedImage.reference} (${resolvedImage.local ? "in one engine only, " : ""}${resolvedImage.digest.slice(0, 19)}…, ${formatBytes(resolvedImage.sizeBytes)})`));
  terminal.print(`  invoke    longshore invoke ${inert(name)}`);
  if (contract !== "stdio") terminal.print(`            curl ${new URL(`/f/${name}/`, connection.url).href}`);
}
