import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cachedNatsServerPath, cacheFolder, findNatsServer } from "../../packages/cli/bin/tool-cache.mjs";
import { insistOnLists } from "./apt.mjs";
import { formatSource, readAptSources } from "./apt-sources.mjs";
import { SetupFailure } from "./failure.mjs";
import { findCommand, isDebian, suiteName } from "./machine.mjs";
import { runCommand, tryCommand } from "./run-command.mjs";

/** Scheduled messages came with 2.14. */
const minimum = /** @type {const} */ ([2, 14]);
/** Newer suites of Debian that carry one, the calmer first. */
const suites = ["forky", "sid"];

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
    if (!isDebian() || findCommand("apt-get") === undefined) return "set-up fetches one only on Debian";
    return archive() === undefined ? `apt has no archive configured for ${suiteName()}, and so none for newer suites` : undefined;
  },
  byHand:
    `get version ${minimum.join(".")} or newer (nats.io has it for every system) and put it on PATH, ` +
    "or name it in LONGSHORE_NATS_SERVER",
  provide: async (say) => {
    /** @type {unknown} */
    let failure = new SetupFailure(`Debian's ${suites.join(" and ")} have no nats-server ${minimum.join(".")} or newer`, { advice: `To go on, ${natsServer.byHand}.` });
    for (const suite of suites) {
      say(`fetching from Debian ${suite}`);
      try {
        await fetchFrom(suite);
        const version = await fittingVersion(cachedNatsServerPath());
        if (version !== undefined) return version;
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  },
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

/** The archive that this machine's own packages come from. */
function archive() {
  return readAptSources().find((source) => source.suites.includes(suiteName()) && source.components.includes("main"));
}

/**
 * Unpacks the package of a suite into the cache. apt works on a source list, lists and a download folder of its own there: the machine's
 * own packages never see the newer suite.
 * @param {string} suite
 */
async function fetchFrom(suite) {
  const source = archive();
  if (source === undefined) throw new SetupFailure("apt has no archive configured for this machine's own suite");
  const apt = join(cacheFolder(), "apt");
  rmSync(apt, { recursive: true, force: true });
  mkdirSync(join(apt, "lists", "partial"), { recursive: true });
  writeFileSync(join(apt, "suite.sources"), formatSource(source, suite));

  const options = Object.entries({
    "Dir::Etc::sourcelist": join(apt, "suite.sources"),
    "Dir::Etc::sourceparts": "-",
    "Dir::State::lists": join(apt, "lists"),
    "Dir::Cache": join(apt, "cache"),
    "Acquire::Languages": "none",
    "APT::Sandbox::User": "root",
  }).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  const advice = `Check that this machine reaches its Debian mirror, or ${natsServer.byHand}.`;
  await runCommand("apt-get", [...options, ...insistOnLists, "update"], { title: `apt-get update for Debian ${suite}`, advice });
  await runCommand("apt-get", [...options, "download", "nats-server"], { title: "apt-get download nats-server", cwd: apt, advice });
  const archiveFile = readdirSync(apt).find((name) => name.endsWith(".deb"));
  if (archiveFile === undefined) throw new SetupFailure("apt-get download left no package", { advice });
  const unpacked = join(apt, "unpacked");
  await runCommand("dpkg-deb", ["-x", join(apt, archiveFile), unpacked]);
  const program = ["usr/sbin", "usr/bin"].map((folder) => join(unpacked, folder, "nats-server")).find((path) => existsSync(path));
  if (program === undefined) throw new SetupFailure(`Debian's ${archiveFile} holds no nats-server`, { advice: `To go on, ${natsServer.byHand}.` });
  mkdirSync(dirname(cachedNatsServerPath()), { recursive: true });
  renameSync(program, cachedNatsServerPath());
  rmSync(apt, { recursive: true, force: true });
}
