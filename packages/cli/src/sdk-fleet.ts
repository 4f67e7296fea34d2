import { readFileSync } from "node:fs";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { createFleet } from "@longshore/sdk";
import { UsageError } from "./command-line/usage-error.ts";
import type { CreateFleet } from "./fleet.ts";

/** Who types a command wants to know soon that no fleet is there. */
const connectTimeoutMs = 3_000;

/** The fleet that commands work with: the SDK's. */
export const connectFleet: CreateFleet = ({ url, key, caFile }) => {
  if (caFile !== undefined) trust(caFile);
  return createFleet({ url, key, connectTimeoutMs });
};

/** Adds an authority to those that this process trusts: `fetch` and WebSocket take none of their own. */
function trust(caFile: string): void {
  let authority: string;
  try {
    authority = readFileSync(caFile, "utf8");
  } catch (cause) {
    throw new UsageError(`Cannot read the authority ${caFile}: ${(cause as Error).message}`, "--ca or LONGSHORE_CA names a PEM file");
  }
  setDefaultCACertificates([...getCACertificates("default"), authority]);
}
