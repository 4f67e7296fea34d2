import { existsSync } from "node:fs";
import { release } from "node:os";
import { installPackages } from "./apt.mjs";
import { hasControlGroups, startDockerd } from "./dockerd.mjs";
import { defaultSocket, pingEngine } from "./engine-address.mjs";
import { chooseIptables } from "./iptables.mjs";
import { canInstallPackages, findCommand } from "./machine.mjs";

/** The interface of engine 20.10. */
const minimumApi = 1.41;

/** A container engine that answers: whichever is there, else Debian's own, installed and started. @type {import("./need.mjs").Need} */
export const engine = {
  name: "Container engine",
  find: async () => describe(await pingEngine()),
  // An engine named in DOCKER_HOST is somebody's own, and so is one that answers in an older interface.
  canProvide: () => !process.env.DOCKER_HOST && canInstallPackages(),
  byHand:
    "install Docker 20.10 or newer and start it, so that it answers at " +
    `${process.env.DOCKER_HOST ?? defaultSocket} (DOCKER_HOST names another address)`,
  provide: async (say) => {
    const missing = missingPackages();
    if (missing.length > 0) await installPackages(missing, say);
    await chooseIptables(say);
    say("starting dockerd");
    const how = await startDockerd();
    const found = describe(await pingEngine());
    return `${found ?? "too old an engine"}; ${how}`;
  },
};

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
