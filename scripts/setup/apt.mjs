import { runCommand, tryCommand } from "./run-command.mjs";

const advice = "Check that this machine reaches its Debian mirror (apt-get update), then run the command again.";
// Another apt at work (a fresh machine's automatic upgrade) is waited for.
const waitForOthers = ["-o", "DPkg::Lock::Timeout=300"];

let isUpdated = false;

/**
 * Installs Debian packages, without what they merely recommend and without questions.
 * @param {readonly string[]} packages
 * @param {(doing: string) => void} say
 */
export async function installPackages(packages, say) {
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  if (!isUpdated) {
    say("apt-get update");
    // A broken source of somebody else's must not stop us: whether it mattered, the install tells.
    await tryCommand("apt-get", [...waitForOthers, "update"], { env });
    isUpdated = true;
  }
  say(`installing ${packages.join(", ")}`);
  await runCommand("apt-get", [...waitForOthers, "install", "-y", "--no-install-recommends", ...packages], { title: `apt-get install ${packages.join(" ")}`, env, advice });
}
