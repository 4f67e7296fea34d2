import { readFileSync } from "node:fs";
import { protocolVersion } from "@longshore/protocol";
import { defineCommand } from "../command-line/command.ts";
import { inertJson } from "../terminal/inert.ts";

/** This package's version. */
export function ownVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };
  return version;
}

/** `longshore version` */
export const version = defineCommand({
  path: ["version"],
  summary: "Show the versions of Longshore, its protocol and Node",
  options: {},
  arguments: {},
  examples: [["longshore version --json", "For a program"]],
  run: async (_input, { terminal, json }) => {
    const versions = { longshore: ownVersion(), protocol: protocolVersion, node: process.versions.node };
    terminal.print(json ? inertJson(versions) : `longshore ${versions.longshore} (protocol ${versions.protocol}, Node ${versions.node})`);
  },
});
