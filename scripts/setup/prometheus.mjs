import { existsSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../../packages/cli/bin/tool-cache.mjs";
import { unpackPackages } from "./apt.mjs";
import { obstacleToPackages } from "./machine.mjs";

const folder = () => join(cacheFolder(), "prometheus");

/** The folder with Debian's `prometheus` and `promtool`; undefined when there is none. */
export function findPrometheus() {
  const programs = join(folder(), "usr", "bin");
  return ["prometheus", "promtool"].every((name) => existsSync(join(programs, name))) ? programs : undefined;
}

/** Debian's Prometheus, unpacked beside the system: installed it would run as a service. @type {import("./need.mjs").Need} */
export const prometheus = {
  name: "prometheus",
  find: async () => findPrometheus(),
  obstacle: async () => obstacleToPackages(),
  byHand: "unpack Debian's prometheus into a folder",
  provide: async (say) => {
    await unpackPackages(["prometheus"], folder(), say);
    return "for tests only";
  },
};
