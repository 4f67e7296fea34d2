import { existsSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { fileURLToPath } from "node:url";
import { LongshoreError } from "@longshore/protocol";
import type { AgentRequest, BackupSummary, BrokerRequest, JoinedHost, LocalParts, RestoreSummary, RunningAgent, RunningBroker, StateRequest } from "./local/parts.ts";

/**
 * The one door to broker and agent: everything the CLI starts in its own process is started here. Loaded only by the commands that do.
 */
export const localParts: LocalParts = { startBroker, joinedAs, joinHost, startAgent, backUp, restore };

async function startBroker(request: BrokerRequest): Promise<RunningBroker> {
  const { createBroker, createLog, isLoopbackHost, splitAddress } = await import("@longshore/broker");
  const config = await brokerConfig(request);
  const broker = createBroker({ ...config, consoleFolder: config.consoleFolder ?? consoleFolder() }, { log: createLog(config.logLevel) });
  const { url, apiKey, caFile } = await broker.start();
  return {
    url, apiKey, caFile,
    drainMs: config.drainMs,
    needsKey: !isLoopbackHost(splitAddress(config.listen).host),
    drain: (deadlineMs) => broker.drain(deadlineMs),
    close: () => broker.close(),
  };
}

/** Where the console's package keeps its bundle. */
function consoleFolder(): string {
  return fileURLToPath(new URL("dist/", import.meta.resolve("@longshore/console/package.json")));
}

async function brokerConfig(request: StateRequest & Partial<BrokerRequest>) {
  const { resolveBrokerConfig } = await import("@longshore/broker");
  const { environment, listen, dataFolder, logLevel } = request;
  const flags = {
    listen, dataFolder, logLevel,
    tls: request.tls === true ? "own" : undefined,
    insecure: request.insecure === true ? true : undefined,
    natsServer: environment["LONGSHORE_BROKER_NATS_SERVER"] === undefined ? environment["LONGSHORE_NATS_SERVER"] || undefined : undefined,
  };
  return resolveSection("broker", request, (file) => resolveBrokerConfig({ flags, environment, file }));
}

async function backUp(file: string, request: StateRequest): Promise<BackupSummary> {
  const broker = await import("@longshore/broker");
  return broker.backUp(await brokerConfig(request), { file, log: broker.createLog("silent") });
}

async function restore(file: string, replace: boolean, request: StateRequest): Promise<RestoreSummary> {
  const broker = await import("@longshore/broker");
  return broker.restore(await brokerConfig(request), { file, replace, log: broker.createLog("silent") });
}

async function joinedAs(request: AgentRequest): Promise<JoinedHost | undefined> {
  const { loadCredential } = await import("@longshore/agent");
  return loadCredential((await agentConfig(request)).dataFolder);
}

async function joinHost(token: string, request: AgentRequest): Promise<JoinedHost> {
  const agent = await import("@longshore/agent");
  const { dataFolder } = await agentConfig(request);
  return agent.join(token, { hostName: hostname(), dataFolder });
}

async function startAgent(request: AgentRequest): Promise<RunningAgent> {
  const { createAgent, createLog, loadCredential } = await import("@longshore/agent");
  const config = await agentConfig(request);
  const credential = loadCredential(config.dataFolder);
  if (credential === undefined) throw new LongshoreError("token_invalid", `Cannot run the agent: ${config.dataFolder} holds no credential; join first`);
  const agent = createAgent(config, { log: createLog(config.logLevel) });
  await agent.start();
  return { agentId: credential.agentId, siteId: credential.siteId, drainMs: config.drainMs, drain: (deadlineMs) => agent.drain(deadlineMs), close: () => agent.close() };
}

async function agentConfig(request: AgentRequest) {
  const { resolveAgentConfig } = await import("@longshore/agent");
  const { environment, dataFolder, logLevel, memoryBytes } = request;
  const flags = { dataFolder, logLevel, memoryBytes };
  return resolveSection("agent", request, (file) => resolveAgentConfig({ flags, environment, file }));
}

/** Resolves settings with what a file says; an error of the file's names its line. */
async function resolveSection<T>(section: "broker" | "agent", { configFile }: { readonly configFile: string | undefined }, resolve: (file: unknown) => T): Promise<T> {
  const path = configFile ?? "longshore.yaml";
  if (configFile === undefined && !existsSync(path)) return resolve(undefined);
  const { readSection } = await import("@longshore/broker");
  const found = readSection(readText(path), path, section);
  try {
    return resolve(found.values);
  } catch (error) {
    throw error instanceof LongshoreError ? found.locate(error) : error;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new LongshoreError("bad_schema", `Cannot read the settings in ${path}: ${(cause as Error).message}`, { field: "config", cause });
  }
}
