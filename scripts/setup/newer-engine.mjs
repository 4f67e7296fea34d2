import { existsSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../../packages/cli/bin/tool-cache.mjs";
import { bringFromNewerSuite, obstacleToNewerSuites, unpackFromSuite } from "./newer-suite.mjs";
import { tryCommand } from "./run-command.mjs";

/** The version that is fetched, beside whichever engine the machine has. */
export const newerEngineVersion = "28";
const packages = ["docker.io", "containerd"];
const folder = () => join(cacheFolder(), `docker-${newerEngineVersion}`);

/** Folders with the programs of the newer engine, for `PATH`. */
export function newerEnginePath() {
  return ["usr/sbin", "usr/bin"].map((place) => join(folder(), place)).join(":");
}

/** dockerd and containerd of a newer Debian, unpacked beside the system and started only for a run of the tests. @type {import("./need.mjs").Need} */
export const newerEngine = {
  name: `Docker ${newerEngineVersion}`,
  find: async () => version(),
  obstacle: async () => obstacleToNewerSuites(),
  byHand: `start a Docker ${newerEngineVersion} of your own, and run the tests with its address in DOCKER_HOST`,
  provide: (say) =>
    bringFromNewerSuite(say, async (suite) => {
      await unpackFromSuite(suite, packages, folder(), `Check that this machine reaches its Debian mirror, or ${newerEngine.byHand}.`);
      const found = await version();
      return found === undefined ? undefined : `${found}, for tests only`;
    }, { what: `Docker ${newerEngineVersion}`, byHand: newerEngine.byHand }),
};

/** Of the unpacked dockerd, if it is the one that is wanted. */
async function version() {
  const dockerd = join(folder(), "usr", "sbin", "dockerd");
  if (!existsSync(dockerd)) return undefined;
  const { ok, output } = await tryCommand(dockerd, ["--version"]);
  const found = /version (\d+)\.[^\s,]+/.exec(output);
  return ok && found?.[1] === newerEngineVersion ? found[0].slice("version ".length) : undefined;
}
