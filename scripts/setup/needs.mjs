import { awsCli } from "./aws-cli.mjs";
import { chromium } from "./chromium.mjs";
import { consoleBundle } from "./console.mjs";
import { dockerRegistry } from "./docker-registry.mjs";
import { engine } from "./engine.mjs";
import { lambdaRuntime } from "./lambda-runtime.mjs";
import { natsServer } from "./nats-server.mjs";
import { newerEngine } from "./newer-engine.mjs";
import { nginx } from "./nginx.mjs";
import { node } from "./node.mjs";
import { pnpm } from "./pnpm.mjs";
import { prometheus } from "./prometheus.mjs";
import { busybox, testCommands } from "./system-commands.mjs";
import { dependencies, pnpmForDependencies } from "./workspace.mjs";

/** Each list is in the order of provision: a need may use those before it. */

/** To lint, type-check or run one test file. */
export const workspaceNeeds = [node, pnpmForDependencies, dependencies];
/** To build and pack the packages. */
export const buildNeeds = [node, pnpm, dependencies];
/** To run a fleet on this machine. */
export const fleetNeeds = [...workspaceNeeds, consoleBundle, engine, natsServer, busybox];
/** To measure a fleet: by name only what that bench needs. @param {readonly string[]} names */
export const benchNeeds = (names) => {
  /** @param {string[]} these */
  const isAny = (...these) => names.length === 0 || these.some((name) => names.includes(name));
  return [...fleetNeeds, ...(isAny("cold-lambda", "resume") ? [lambdaRuntime] : []), ...(isAny("console") ? [chromium] : [])];
};
/** To run the tests against an engine that is newer than the machine's. */
export const newerEngineNeeds = [newerEngine];
/** To run every test. */
export const testNeeds = [...workspaceNeeds, consoleBundle, engine, natsServer, testCommands, dockerRegistry, nginx, lambdaRuntime, awsCli, chromium, prometheus];
