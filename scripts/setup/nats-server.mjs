import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { cachedNatsServerPath, cacheFolder, findNatsServer } from "../../packages/cli/bin/tool-cache.mjs";
import { SetupFailure } from "./failure.mjs";
import { findCommand } from "./machine.mjs";
import { bringFromNewerSuite, obstacleToNewerSuites, unpackFromSuite } from "./newer-suite.mjs";
import { tryCommand } from "./run-command.mjs";

/** Scheduled messages came with 2.14. */
const minimum = /** @type {const} */ ([2, 14]);

/** nats-server: the one named, else the cached one, else one on `PATH`, if new enough. @type {import("./need.mjs").Need} */
export const natsServer = {
  name: "nats-server",
  find: async () => {
    const path = findNatsServer() ?? findCommand("nats-server");
    return path === undefined ? undefined : await fittingVersion(path);
  },
  obstacle: async () => {
    const named = process.env.LONGSHORE_NATS_SERVER;
    if (named) return `LONGSHORE_NATS_SERVER names ${named}, which is no nats-server of ${minimum.join(".")} or newer`;
    return obstacleToNewerSuites();
  },
  byHand:
    `get version ${minimum.join(".")} or newer (nats.io has it for every system) and put it on PATH, ` +
    "or name it in LONGSHORE_NATS_SERVER",
  provide: (say) =>
    bringFromNewerSuite(say, async (suite) => {
      await fetchFrom(suite);
      return fittingVersion(cachedNatsServerPath());
    }, { what: `nats-server ${minimum.join(".")} or newer`, byHand: natsServer.byHand }),
};

/** @param {string} path @returns {Promise<string | undefined>} its version, if new enough */
async function fittingVersion(path) {
  const { ok, output } = await tryCommand(path, ["--version"]);
  const match = /v(\d+)\.(\d+)\.\S+/.exec(output);
  if (!ok || match === null) return undefined;
  const [text, major, minor] = match;
  const isFitting = Number(major) > minimum[0] || (Number(major) === minimum[0] && Number(minor) >= minimum[1]);
  return isFitting ? text.slice(1) : undefined;
}

/** Unpacks the package of a suite, and puts the program into the cache. @param {string} suite */
async function fetchFrom(suite) {
  const folder = join(cacheFolder(), "nats-server.partial");
  await unpackFromSuite(suite, ["nats-server"], folder, `Check that this machine reaches its Debian mirror, or ${natsServer.byHand}.`);
  const program = ["usr/sbin", "usr/bin"].map((place) => join(folder, place, "nats-server")).find((path) => existsSync(path));
  if (program === undefined) throw new SetupFailure("Debian's package holds no nats-server", { advice: `To go on, ${natsServer.byHand}.` });
  mkdirSync(dirname(cachedNatsServerPath()), { recursive: true });
  renameSync(program, cachedNatsServerPath());
  rmSync(folder, { recursive: true, force: true });
}
