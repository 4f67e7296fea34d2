import { installPackages } from "./apt.mjs";
import { findCommand, obstacleToPackages } from "./machine.mjs";

/** A browser of Debian's; undefined when there is none. */
export function findChromium() {
  return findCommand("chromium");
}

/** The browser whose pages call functions in tests. @type {import("./need.mjs").Need} */
export const chromium = {
  name: "chromium",
  find: async () => findChromium(),
  obstacle: async () => obstacleToPackages(),
  byHand: "install Chromium so that `chromium` is on PATH",
  provide: async (say) => {
    await installPackages(["chromium"], say);
    return "for tests only";
  },
};
