import { existsSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../../packages/cli/bin/tool-cache.mjs";
import { unpackPackages } from "./apt.mjs";
import { findCommand, obstacleToPackages } from "./machine.mjs";

const folder = () => join(cacheFolder(), "docker-registry");
const cachedPath = () => join(folder(), "usr", "bin", "docker-registry");

/** The registry that tests pull from: the cached one, else one on `PATH`; undefined when there is neither. */
export function findDockerRegistry() {
  return existsSync(cachedPath()) ? cachedPath() : findCommand("docker-registry");
}

/** Debian's registry, unpacked beside the system: installed it would run as a service. @type {import("./need.mjs").Need} */
export const dockerRegistry = {
  name: "docker-registry",
  find: async () => findDockerRegistry(),
  obstacle: async () => obstacleToPackages(),
  byHand: "put docker-registry (Debian's, or CNCF Distribution under that name) on PATH",
  provide: async (say) => {
    await unpackPackages(["docker-registry"], folder(), say);
    return "for tests only";
  },
};
