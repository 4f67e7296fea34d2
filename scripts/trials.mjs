/** `npm run trials`: accepted work whose agent, caller or brokers die, in full size; prints counts, and whether they are as they should be. Arguments after `--` go to the trials. */
import { fileURLToPath } from "node:url";
import { runInPlace } from "../packages/cli/bin/run-in-place.mjs";
import { fleetNeeds } from "./setup/needs.mjs";
import { nodePath } from "./setup/node.mjs";
import { setUp } from "./setup/setup.mjs";
import { toolEnvironment } from "./setup/tool-environment.mjs";

await setUp(fleetNeeds);
const trials = fileURLToPath(new URL("../bench/trials/main.ts", import.meta.url));
await runInPlace(nodePath(), [trials, ...process.argv.slice(2)], toolEnvironment());
