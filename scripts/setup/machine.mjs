import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Why set-up cannot install system packages here; undefined where it can: as root on Debian. */
export function obstacleToPackages() {
  if (isDebian() && process.getuid?.() === 0 && findCommand("apt-get") !== undefined) return undefined;
  return `set-up installs system packages only as root on Debian, and this is ${describeMachine()}`;
}

/** True on Debian itself (not a system derived from it, whose archive has other suites). */
export function isDebian() {
  return process.platform === "linux" && osRelease().ID === "debian";
}

/** Debian's name for the suite this machine runs (`bookworm`); empty when unknown. */
export function suiteName() {
  return osRelease().VERSION_CODENAME ?? "";
}

/** True when systemd is the init system here (sd_booted(3)). */
export function runsSystemd() {
  return existsSync("/run/systemd/system");
}

/** True when programs built for glibc run here (on Alpine they do not). */
export function hasGlibc() {
  const header = /** @type {{ header?: { glibcVersionRuntime?: string } }} */ (process.report.getReport()).header;
  return header?.glibcVersionRuntime !== undefined;
}

/** What this machine is and as whom we run, in a few words for a message. */
function describeMachine() {
  const system = process.platform === "linux" ? (osRelease().PRETTY_NAME ?? "Linux") : process.platform;
  const user = process.getuid?.() === 0 ? "as root" : "not as root";
  return `${system} (${process.arch}), ${user}`;
}

/**
 * The path of a command on `PATH` or in the folders of system programs, which are not on everybody's `PATH`.
 * @param {string} name
 * @returns {string | undefined}
 */
export function findCommand(name) {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin"];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(/** @type {string} */ path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @returns {Record<string, string>} the fields of os-release(5) */
function osRelease() {
  try {
    const lines = readFileSync("/etc/os-release", "utf8").split("\n");
    return Object.fromEntries(lines.filter((line) => line.includes("=")).map((line) => {
      const [name = "", ...value] = line.split("=");
      return [name, value.join("=").replace(/^(["'])(.*)\1$/, "$2")];
    }));
  } catch {
    return {};
  }
}
