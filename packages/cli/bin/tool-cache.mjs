/**
 * Where the tools are that set-up fetched: Node 24 and nats-server. Plain JavaScript for Node 20, since it is what finds a newer Node.
 */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** The oldest Node that runs Longshore. */
export const minimumNodeMajor = 24;

/** The folder that set-up fills: `LONGSHORE_CACHE`, else `longshore` in the user's cache folder. */
export function cacheFolder() {
  return process.env.LONGSHORE_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "longshore");
}

/** The npm package that carries Node for this platform. */
export const nodePackage = `node-${process.platform}-${process.arch}`;

/** Where set-up unpacks Node; it may not be there. */
export function cachedNodePath() {
  return join(cacheFolder(), `node-${minimumNodeMajor}`, "node_modules", nodePackage, "bin", "node");
}

/** Where set-up unpacks nats-server; it may not be there. */
export function cachedNatsServerPath() {
  return join(cacheFolder(), "nats-server", "nats-server");
}

/** True when this very process is new enough. */
export function isNodeNewEnough() {
  return Number(process.versions.node.split(".")[0]) >= minimumNodeMajor;
}

/** A Node that runs Longshore: this one, else the cached one; undefined when there is neither. */
export function findNode() {
  if (isNodeNewEnough()) return process.execPath;
  return existsSync(cachedNodePath()) ? cachedNodePath() : undefined;
}

/** The nats-server to use: the one named by `LONGSHORE_NATS_SERVER`, else the cached one; undefined leaves it to `PATH`. */
export function findNatsServer() {
  if (process.env.LONGSHORE_NATS_SERVER) return process.env.LONGSHORE_NATS_SERVER;
  return existsSync(cachedNatsServerPath()) ? cachedNatsServerPath() : undefined;
}
