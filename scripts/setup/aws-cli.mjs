import { existsSync } from "node:fs";
import { installPackages } from "./apt.mjs";
import { obstacleToPackages } from "./machine.mjs";

/** Where Debian's package puts it: whatever `aws` is on `PATH` may be somebody's own. */
const path = "/usr/bin/aws";

/** Debian's AWS command line; undefined when there is none. */
export function findAwsCli() {
  return existsSync(path) ? path : undefined;
}

/** The AWS command line, with which tests invoke functions. @type {import("./need.mjs").Need} */
export const awsCli = {
  name: "awscli",
  find: async () => findAwsCli(),
  obstacle: async () => obstacleToPackages(),
  byHand: `install Debian's awscli, as ${path}`,
  provide: async (say) => {
    await installPackages(["awscli"], say);
    return "for tests only";
  },
};
