import { existsSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../../packages/cli/bin/tool-cache.mjs";
import { unpackPackages } from "./apt.mjs";
import { obstacleToPackages } from "./machine.mjs";

/** What Debian's nginx-light consists of: the server, its configuration, and the one module that it adds. */
const packages = ["nginx", "nginx-common", "libnginx-mod-http-echo"];
const folder = () => join(cacheFolder(), "nginx-light");

/** The folder with Debian's nginx-light, as it would lie below `/`; undefined when there is none. */
export function findNginx() {
  return existsSync(join(folder(), "usr", "sbin", "nginx")) ? folder() : undefined;
}

/** Debian's nginx-light, unpacked beside the system: installed it would run as a service. @type {import("./need.mjs").Need} */
export const nginx = {
  name: "nginx-light",
  find: async () => findNginx(),
  obstacle: async () => obstacleToPackages(),
  byHand: `unpack Debian's ${packages.join(", ")} into a folder`,
  provide: async (say) => {
    await unpackPackages(packages, folder(), say);
    return "for tests only";
  },
};
