import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { SetupFailure } from "./failure.mjs";
import { runCommand, tryCommand } from "./run-command.mjs";

const env = { DEBIAN_FRONTEND: "noninteractive" };
// Another apt at work (a fresh machine's automatic upgrade) is waited for.
const waitForOthers = ["-o", "DPkg::Lock::Timeout=300"];
/** `apt-get update` is content with old lists, or none, unless it is told otherwise. */
export const insistOnLists = ["-o", "APT::Update::Error-Mode=any"];

/** What reading apt's lists came to, once for this process. @type {ReturnType<typeof tryCommand> | undefined} */
let update;

/**
 * Installs Debian packages, without what they merely recommend and without questions.
 * @param {readonly string[]} packages
 * @param {(doing: string) => void} say
 */
export async function installPackages(packages, say) {
  const lists = await readLists(say);
  say(`installing ${packages.join(", ")}`);
  const install = ["install", "-y", "--no-install-recommends", ...packages];
  const result = await tryCommand("apt-get", [...waitForOthers, ...install], { env });
  if (result.ok) return;
  // A broken source of somebody else's must not stop us: that lists could not be read matters only now.
  throw new SetupFailure(`Cannot run apt-get install ${packages.join(" ")}: ${result.why}`, {
    output: lists.ok ? result.output : `${lists.output}${result.output}`,
    advice: "Check that this machine reaches its Debian mirror (apt-get update), then run the command again.",
  });
}

/**
 * Fetches Debian packages and unpacks them into a folder, all or none, without installing them: what they would start as a service
 * stays off.
 * @param {readonly string[]} names
 * @param {string} folder made anew
 * @param {(doing: string) => void} say
 */
export async function unpackPackages(names, folder, say) {
  const lists = await readLists(say);
  say(`fetching ${names.join(", ")}`);
  const partial = `${folder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  const result = await tryCommand("apt-get", ["-o", "APT::Sandbox::User=root", "download", ...names], { env, cwd: partial });
  const files = readdirSync(partial).filter((entry) => entry.endsWith(".deb"));
  if (!result.ok || files.length < names.length) {
    throw new SetupFailure(`Cannot fetch ${names.join(", ")}: ${result.why}`, { output: lists.ok ? result.output : `${lists.output}${result.output}`, advice: "Check that this machine reaches its Debian mirror (apt-get update), then run the command again." });
  }
  for (const file of files) {
    await runCommand("dpkg-deb", ["-x", join(partial, file), partial]);
    rmSync(join(partial, file));
  }
  rmSync(folder, { recursive: true, force: true });
  renameSync(partial, folder);
}

/** @param {(doing: string) => void} say */
function readLists(say) {
  if (update === undefined) say("apt-get update");
  update ??= tryCommand("apt-get", [...waitForOthers, ...insistOnLists, "update"], { env });
  return update;
}
