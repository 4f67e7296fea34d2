import { accessSync, constants, existsSync } from "node:fs";
import { release } from "node:os";
import { installPackages } from "./apt.mjs";
import { hasControlGroups, startDockerd } from "./dockerd.mjs";
import { defaultSocket, pingEngine } from "./engine-address.mjs";
import { chooseIptables } from "./iptables.mjs";
import { obstacleToPackages, findCommand } from "./machine.mjs";

/** The interface of engine 20.10. */
const minimumApi = 1.41;

/** A container engine that answers: whichever is there, else Debian's own, installed and started. @type {import("./need.mjs").Need} */
export const engine = {
  name: "Container engine",
  find: async () => describe(await pingEngine()),
  obstacle: async () => {
    const answer = await pingEngine();
    if (answer !== undefined) return `${answer.version} answers, and its interface ${answer.api} is older than ${minimumApi}`;
    if (process.env.DOCKER_HOST) return `nothing answers at ${process.env.DOCKER_HOST}, which DOCKER_HOST names`;
    if (isForbidden(defaultSocket)) return `this user may not use ${defaultSocket} (members of the group docker may)`;
    return obstacleToPackages();
  },
  byHand: `start Docker 20.10 or newer so that it answers at ${defaultSocket}, or name its address in DOCKER_HOST`,
  provide: async (say) => {
    const missing = missingPackages();
    if (missing.length > 0) await installPackages(missing, say);
    await chooseIptables(say);
    say("starting dockerd");
    const how = await startDockerd();
    return `${describe(await pingEngine()) ?? "too old"}; ${how}`;
  },
};

function isForbidden(/** @type {string} */ socket) {
  try {
    accessSync(socket, constants.R_OK | constants.W_OK);
    return false;
  } catch {
    return existsSync(socket);
  }
}

/** Debian's packages that running dockerd lacks here. */
function missingPackages() {
  const isModular = existsSync(`/lib/modules/${release()}`);
  const wanted = [
    { package: "docker.io", isThere: findCommand("dockerd") !== undefined },
    { package: "iptables", isThere: findCommand("iptables") !== undefined },
    // dockerd loads the kernel's modules for bridges and overlay files with it.
    { package: "kmod", isThere: !isModular || findCommand("modprobe") !== undefined },
    // Mounts the control groups where nobody has.
    { package: "cgroupfs-mount", isThere: hasControlGroups() || findCommand("cgroupfs-mount") !== undefined },
    // To pull images over TLS.
    { package: "ca-certificates", isThere: existsSync("/etc/ssl/certs/ca-certificates.crt") },
  ];
  return wanted.filter(({ isThere }) => !isThere).map((entry) => entry.package);
}

/** @param {{ api: number, version: string } | undefined} answer */
function describe(answer) {
  return answer === undefined || answer.api < minimumApi ? undefined : answer.version;
}
