import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defineCommand } from "../command-line/command.ts";
import type { Context } from "../command-line/context.ts";
import { type ExitCode, exitCodes } from "../exit-code.ts";
import { functionOptions, readFunctionFlags } from "../function-file/flags.ts";
import { buildAndDeploy, type DevFolder, readFolder } from "../dev/build-and-deploy.ts";
import { createDevLog } from "../dev/dev-log.ts";
import { watchFolder } from "../dev/folder-watch.ts";
import { runDev } from "../dev/run-dev.ts";
import { removeImages } from "../image/build.ts";

const { image: _image, ...givenOptions } = functionOptions;

/** `longshore dev` */
export const dev = defineCommand({
  path: ["dev"],
  summary: "Build and deploy a folder at every save, and show what it writes and answers",
  description:
    "The folder is built as by longshore deploy FOLDER, on this host's engine, and runs on agents of that engine: longshore up starts a fleet here. At every save it is built and deployed again, one build at a time; what is saved during a build is built after it. " +
    "A build that fails shows what it said, and the last revision serves on. What .dockerignore names and what editors leave beside files is no save.\n\n" +
    "Ctrl-C ends it and leaves the function deployed; with --rm function and images of this session are removed.",
  options: {
    ...givenOptions,
    buildArg: { value: "K=V", repeat: true, summary: "A value for an ARG of its Dockerfile" },
    rm: { summary: "At the end remove the function and the images that were built" },
  },
  arguments: { folder: { summary: "A folder with a Dockerfile" } },
  rest: { value: "ARG...", summary: "Arguments for the image's program" },
  examples: [["longshore dev ./hello", "Then in another terminal: longshore invoke hello"], ["longshore dev --rm ./hello --memory 128MiB", "And nothing is left"]],
  run: async ({ args, options: given, rest }, context): Promise<ExitCode> => {
    const { fleet, terminal, json, interrupts, environment, now } = context;
    const folder: DevFolder = { folder: args.folder, flags: readFunctionFlags({ ...given, image: undefined }, rest), buildArgs: given.buildArg, environment };
    const { name } = readFolder(folder);
    const signal = interrupts.signal();
    const session = { wasDeployed: false, images: [] as string[] };
    try {
      await runDev({
        folder: args.folder, functionName: name, fleet: fleet(), log: createDevLog(context), signal, watchFolder, fromAt: new Date(now()).toISOString(),
        readIgnoreFile: () => readIfThere(join(args.folder, ".dockerignore")),
        deploy: async (onOutput, onSignal) => {
          const answer = await buildAndDeploy(folder, fleet(), { signal: onSignal, onOutput, onImage: (reference) => session.images.includes(reference) || session.images.push(reference) });
          session.wasDeployed = true;
          return answer;
        },
      });
    } finally {
      if (given.rm) await tidyUp(name, session, context);
      else if (session.wasDeployed && !json) terminal.note(`${name} stays deployed; longshore rm ${name} removes it`);
    }
    return exitCodes.succeeded;
  },
});

function readIfThere(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

async function tidyUp(name: string, { wasDeployed, images }: { readonly wasDeployed: boolean; readonly images: readonly string[] }, { fleet, terminal, json }: Context): Promise<void> {
  if (wasDeployed) await fleet().remove(name);
  const kept = await removeImages(images, new AbortController().signal);
  if (json) return;
  terminal.note(`Removed ${name} and ${images.length - kept.length} images${kept.length === 0 ? "" : `; still in use: ${kept.join(" ")}`}`);
}
