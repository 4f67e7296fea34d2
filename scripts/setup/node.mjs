import { dirname, join } from "node:path";
import {
  cachedNodePath, cacheFolder, findNode, isNodeNewEnough, minimumNodeMajor, nodePackage,
} from "../../packages/cli/bin/tool-cache.mjs";
import { hasGlibc } from "./machine.mjs";
import { installFromNpm } from "./npm.mjs";
import { runCommand, tryCommand } from "./run-command.mjs";

/** Node 24, which runs TypeScript as it stands: this process's own, else one in the cache. @type {import("./need.mjs").Need} */
export const node = {
  name: `Node ${minimumNodeMajor}`,
  find: async () => {
    if (isNodeNewEnough()) return process.versions.node;
    const path = findNode();
    if (path === undefined) return undefined;
    const { ok, output } = await tryCommand(path, ["--version"]);
    return ok ? output.trim().slice(1) : undefined;
  },
  obstacle: async () => (process.platform === "linux" && hasGlibc() ? undefined : "set-up fetches one only for Linux with glibc"),
  byHand: `install Node ${minimumNodeMajor} or newer and run this with it`,
  provide: async (say) => {
    say(`installing ${nodePackage}`);
    await installFromNpm(join(cacheFolder(), `node-${minimumNodeMajor}`), `${nodePackage}@${minimumNodeMajor}`);
    return (await runCommand(cachedNodePath(), ["--version"])).trim().slice(1);
  },
};

/** The path of Node 24, once set-up has run. */
export function nodePath() {
  const path = findNode();
  if (path === undefined) throw new Error("Node is looked for before set-up brought it");
  return path;
}

/** An environment in which `node` is Node 24, for whatever a tool starts. */
export function nodeEnvironment() {
  return { ...process.env, PATH: `${dirname(nodePath())}:${process.env.PATH ?? ""}` };
}
