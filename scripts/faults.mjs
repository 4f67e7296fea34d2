/** `npm run faults`: a fleet of this machine under load, broken part by part as a seed says, and what became of its promises. Arguments after `--` go to the harness. */
import { fileURLToPath } from "node:url";
import { runInPlace } from "../packages/cli/bin/run-in-place.mjs";
import { fleetNeeds } from "./setup/needs.mjs";
import { nodePath } from "./setup/node.mjs";
import { setUp } from "./setup/setup.mjs";
import { testCommands } from "./setup/system-commands.mjs";
import { toolEnvironment } from "./setup/tool-environment.mjs";

await setUp([...fleetNeeds, testCommands]);
const faults = fileURLToPath(new URL("../test/faults/run/main.ts", import.meta.url));
await runInPlace(nodePath(), [faults, ...process.argv.slice(2)], toolEnvironment());
