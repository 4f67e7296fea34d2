import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../../packages/cli/bin/tool-cache.mjs";
import { insistOnLists } from "./apt.mjs";
import { formatSource, readAptSources } from "./apt-sources.mjs";
import { SetupFailure } from "./failure.mjs";
import { findCommand, isDebian, suiteName } from "./machine.mjs";
import { runCommand } from "./run-command.mjs";

/** Newer suites of Debian, the calmer first. */
const newerSuites = ["forky", "sid"];

/** Why nothing can be fetched from a newer suite here; undefined when it can. */
export function obstacleToNewerSuites() {
  if (!isDebian() || findCommand("apt-get") === undefined) return "set-up fetches one only on Debian";
  return archive() === undefined ? `apt has no archive configured for ${suiteName()}, and so none for newer suites` : undefined;
}

/**
 * Unpacks packages of a newer suite into a folder, all or none. apt works on a source list, lists and a download folder of its own: the
 * machine's own packages never see the newer suite.
 * @param {string} suite
 * @param {readonly string[]} packages
 * @param {string} folder made anew
 * @param {string} advice what a person does when it fails
 */
export async function unpackFromSuite(suite, packages, folder, advice) {
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
  await runCommand("apt-get", [...options, ...insistOnLists, "update"], { title: `apt-get update for Debian ${suite}`, advice });
  await runCommand("apt-get", [...options, "download", ...packages], { title: `apt-get download ${packages.join(" ")}`, cwd: apt, advice });
  const files = readdirSync(apt).filter((name) => name.endsWith(".deb"));
  if (files.length < packages.length) throw new SetupFailure(`apt-get download left ${files.length} of ${packages.length} packages`, { advice });
  const unpacked = join(apt, "unpacked");
  for (const file of files) await runCommand("dpkg-deb", ["-x", join(apt, file), unpacked]);
  rmSync(folder, { recursive: true, force: true });
  renameSync(unpacked, folder);
  rmSync(apt, { recursive: true, force: true });
}

/**
 * Brings something from the first newer suite that has it; `attempt` says what it brought, or nothing where that does not fit.
 * @param {(doing: string) => void} say
 * @param {(suite: string) => Promise<string | undefined>} attempt
 * @param {{ what: string, byHand: string }} missing for who goes without
 * @returns {Promise<string>}
 */
export async function bringFromNewerSuite(say, attempt, { what, byHand }) {
  /** @type {unknown} */
  let failure = new SetupFailure(`Debian's ${newerSuites.join(" and ")} have no ${what}`, { advice: `To go on, ${byHand}.` });
  for (const suite of newerSuites) {
    say(`fetching from Debian ${suite}`);
    try {
      const brought = await attempt(suite);
      if (brought !== undefined) return brought;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** The archive that this machine's own packages come from. */
function archive() {
  return readAptSources().find((source) => source.suites.includes(suiteName()) && source.components.includes("main"));
}
