import { installPackages } from "./apt.mjs";
import { obstacleToPackages, findCommand } from "./machine.mjs";

/** Debian's busybox is linked statically, so it runs in an image of its own. @type {import("./need.mjs").Need} */
export const busybox = {
  ...commandsNeed("busybox", { busybox: "busybox-static" }),
  // Without it the command-line example is built from this machine's own tools.
  isOptional: true,
};

/** What only the tests use. @type {import("./need.mjs").Need} */
export const testCommands = commandsNeed("Test tools", { ip: "iproute2", python3: "python3", busybox: "busybox-static", iptables: "iptables", curl: "curl" });

/**
 * @param {string} name
 * @param {Record<string, string>} packages the Debian package that brings each command
 * @returns {import("./need.mjs").Need}
 */
function commandsNeed(name, packages) {
  const missing = () => Object.keys(packages).filter((command) => findCommand(command) === undefined);
  return {
    name,
    find: async () => (missing().length === 0 ? Object.keys(packages).join(", ") : undefined),
    obstacle: async () => obstacleToPackages(),
    byHand: `install ${Object.keys(packages).join(", ")} with your system's packages`,
    provide: async (say) => {
      await installPackages(missing().map((command) => packages[command] ?? command), say);
      return Object.keys(packages).join(", ");
    },
  };
}
