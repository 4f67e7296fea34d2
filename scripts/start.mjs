/** `npm start`: a fleet on this machine, with the examples deployed. Arguments after `--` go to `longshore up`. */
import { fileURLToPath } from "node:url";
import { runInPlace } from "../packages/cli/bin/run-in-place.mjs";
import { fleetNeeds } from "./setup/needs.mjs";
import { nodePath } from "./setup/node.mjs";
import { setUp } from "./setup/setup.mjs";
import { toolEnvironment } from "./setup/tool-environment.mjs";

await setUp(fleetNeeds);
const longshore = fileURLToPath(new URL("../packages/cli/bin/longshore.mjs", import.meta.url));
await runInPlace(nodePath(), [longshore, "up", "--examples", ...process.argv.slice(2)], toolEnvironment());
