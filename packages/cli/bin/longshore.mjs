#!/usr/bin/env node
/**
 * The `longshore` command. It runs on any Node since 20 and starts the program itself under Node 24: from its source in the workspace,
 * from `dist` in the published package.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runInPlace } from "./run-in-place.mjs";
import { findNatsServer, findNode, isNodeNewEnough, minimumNodeMajor } from "./tool-cache.mjs";

const natsServer = findNatsServer();
if (natsServer !== undefined) process.env.LONGSHORE_NATS_SERVER = natsServer;

const node = findNode();
if (isNodeNewEnough()) {
  const source = new URL("../src/main.ts", import.meta.url);
  await import(existsSync(source) ? source.href : new URL("../dist/main.js", import.meta.url).href);
} else if (node !== undefined) {
  await runInPlace(node, [...process.execArgv, fileURLToPath(import.meta.url), ...process.argv.slice(2)]);
} else {
  console.error(
    `longshore needs Node ${minimumNodeMajor} or newer, and this is Node ${process.versions.node}. ` +
      `Install it, or run \`npm start\` once in a clone of the repository, which keeps one of its own.`,
  );
  process.exitCode = 1;
}
