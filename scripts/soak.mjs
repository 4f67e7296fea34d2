/** `npm run soak`: an hour of mixed load on a fleet of this machine, and the memory its processes take meanwhile. Arguments after `--` go to the soak. */
import { fileURLToPath } from "node:url";
import { runInPlace } from "../packages/cli/bin/run-in-place.mjs";
import { benchNeeds } from "./setup/needs.mjs";
import { nodePath } from "./setup/node.mjs";
import { setUp } from "./setup/setup.mjs";
import { toolEnvironment } from "./setup/tool-environment.mjs";

await setUp(benchNeeds(["stdio"]));
const soak = fileURLToPath(new URL("../bench/soak/main.ts", import.meta.url));
await runInPlace(nodePath(), [soak, ...process.argv.slice(2)], toolEnvironment());
