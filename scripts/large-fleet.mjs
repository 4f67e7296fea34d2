/** `npm run large-fleet`: half of a fleet of simulated agents is killed, and 500 reconnect at once; prints counts, and whether they are as they should be. */
import { fileURLToPath } from "node:url";
import { runInPlace } from "../packages/cli/bin/run-in-place.mjs";
import { fleetNeeds } from "./setup/needs.mjs";
import { nodePath } from "./setup/node.mjs";
import { setUp } from "./setup/setup.mjs";
import { toolEnvironment } from "./setup/tool-environment.mjs";

await setUp(fleetNeeds);
const run = fileURLToPath(new URL("../bench/scale/large-fleet.ts", import.meta.url));
await runInPlace(nodePath(), [run], toolEnvironment());
