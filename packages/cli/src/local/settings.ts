import { join } from "node:path";
import type { OptionSpecs } from "../command-line/command.ts";
import type { AgentRequest, BrokerRequest, StateRequest } from "./parts.ts";

/** Options of commands that run a broker. */
export const brokerOptions = {
  listen: { value: "HOST:PORT", summary: "Where to listen (default 127.0.0.1:4270)" },
  tls: { summary: "Speak TLS, with a certificate from an authority that this broker makes and keeps" },
  insecure: { summary: "Listen beyond loopback without TLS, knowingly" },
} as const satisfies OptionSpecs;

/** Options of commands that run any part of a fleet. */
export const partOptions = {
  data: { value: "DIR", summary: "Folder for what must not be lost (LONGSHORE_DATA; default /var/lib/longshore)" },
  config: { value: "FILE", summary: "Settings, in sections broker and agent (LONGSHORE_CONFIG; default longshore.yaml where there is one)" },
  logLevel: { value: "LEVEL", summary: "trace, debug, info, warn, error or silent; the log goes to stderr" },
} as const satisfies OptionSpecs;

interface GivenPartOptions {
  readonly data: string | undefined;
  readonly config: string | undefined;
  readonly logLevel: string | undefined;
}
interface GivenBrokerOptions extends GivenPartOptions {
  readonly listen: string | undefined;
  readonly tls: boolean;
  readonly insecure: boolean;
}

/** What to start a broker with, from options and environment. */
export function brokerRequest({ listen, tls, insecure, ...part }: GivenBrokerOptions, environment: NodeJS.ProcessEnv): BrokerRequest {
  return { listen, tls, insecure, ...partRequest("broker", part, environment) };
}

/** What to start an agent with, from options and environment. */
export function agentRequest(given: GivenPartOptions, environment: NodeJS.ProcessEnv): AgentRequest {
  return partRequest("agent", given, environment);
}

/** Which fleet's state is meant, from options and environment. */
export function stateRequest({ data, config }: Omit<GivenPartOptions, "logLevel">, environment: NodeJS.ProcessEnv): StateRequest {
  const { dataFolder, configFile } = partRequest("broker", { data, config, logLevel: undefined }, environment);
  return { dataFolder, configFile, environment };
}

function partRequest(part: "broker" | "agent", { data, config, logLevel }: GivenPartOptions, environment: NodeJS.ProcessEnv): AgentRequest {
  const own = environment[`LONGSHORE_${part.toUpperCase()}_DATA_FOLDER`] || undefined;
  const root = data ?? (own === undefined ? environment["LONGSHORE_DATA"] || undefined : undefined);
  return { dataFolder: root === undefined ? undefined : join(root, part), logLevel, environment, configFile: config ?? (environment["LONGSHORE_CONFIG"] || undefined) };
}
