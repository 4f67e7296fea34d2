/** `npm run bench`: measures a fleet on this machine. Arguments after `--` go to the bench. */
import { fileURLToPath } from "node:url";
import { runInPlace } from "../packages/cli/bin/run-in-place.mjs";
import { benchNeeds } from "./setup/needs.mjs";
import { nodePath } from "./setup/node.mjs";
import { setUp } from "./setup/setup.mjs";
import { toolEnvironment } from "./setup/tool-environment.mjs";

await setUp(benchNeeds(process.argv.slice(2).filter((argument) => !argument.startsWith("--"))));
const bench = fileURLToPath(new URL("../bench/main.ts", import.meta.url));
await runInPlace(nodePath(), [bench, ...process.argv.slice(2)], toolEnvironment());
