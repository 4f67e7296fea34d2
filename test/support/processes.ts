import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createFleet } from "@longshore/sdk";
import { createDockerEngine } from "../../packages/agent/src/engine/docker.ts";
import { natsServerExecutable } from "./nats.ts";

const command = fileURLToPath(new URL("../../packages/cli/bin/longshore.mjs", import.meta.url));
const busProgram = fileURLToPath(new URL("./embedded-bus-process.ts", import.meta.url));

/** One part of a fleet in a process of its own, started by the command line as operators do. */
export interface FleetProcess {
  readonly pid: number;
  /** Kills it at once: nothing is cleaned up, as when a machine fails. */
  kill(): Promise<void>;
  /** Ctrl-C; resolves with its exit code. */
  interrupt(): Promise<number>;
  /** What it wrote to stderr. */
  errors(): string;
  /** Resolves with its exit code, -1 for a signal's end. */
  readonly ended: Promise<number>;
}

/** A program that was started, and the lines it writes to stdout. */
export interface StartedProgram {
  readonly process: FleetProcess;
  /** The next line; throws with what it wrote to stderr when it has ended. */
  readonly lines: { next(): Promise<string> };
}

export interface BrokerProcess extends FleetProcess {
  readonly url: string;
  /** Told by the first broker of a fleet's life. */
  readonly apiKey: string | undefined;
  /** Runs the broker of the same folder again, once this one has ended; `listen`: where, default at another address. */
  restart(listen?: string): Promise<BrokerProcess>;
}

export interface AgentProcess extends FleetProcess {
  readonly agentId: string;
  readonly siteId: string;
  /** Runs the agent of the same folder again, once this one has ended. */
  restart(): Promise<AgentProcess>;
}

export interface ProcessesOptions {
  readonly brokers?: number;
  /** Of the first broker, the second …: what its environment has besides. */
  readonly brokerEnvironments?: readonly Readonly<Record<string, string>>[];
  /** The bus in a process of its own, as a cluster would be, and not a child of the first broker. */
  readonly separateBus?: boolean;
  /** A bus that the test runs itself: the folder of its credentials. */
  readonly busCredentials?: string;
  readonly agents: readonly { readonly siteId: string; readonly environment?: Readonly<Record<string, string>> }[];
}

/** A fleet of processes: a NATS server, brokers, agents. */
export interface Processes extends AsyncDisposable {
  /** The first broker's. */
  readonly url: string;
  readonly broker: BrokerProcess;
  readonly brokers: readonly BrokerProcess[];
  readonly agents: readonly AgentProcess[];
  /** The folder of the credentials by which further brokers reach the bus. */
  readonly busCredentials: string;
  /** Ends everything, and removes what killed agents left. */
  close(): Promise<void>;
}

/** Starts them all; resolves once every agent takes work. */
export async function startProcesses(options: ProcessesOptions): Promise<Processes> {
  const folder = mkdtempSync(join(tmpdir(), "longshore-processes-"));
  const suffix = randomBytes(3).toString("hex");
  const started: FleetProcess[] = [];
  const brokers: BrokerProcess[] = [];
  const agents: AgentProcess[] = [];

  const busFolder = options.separateBus === true ? join(folder, "bus") : join(folder, "broker-0", "broker");
  const busCredentials = options.busCredentials ?? join(busFolder, "nats", "credentials");
  const close = async () => {
    // The first broker last: its NATS server carries the others' goodbyes.
    const [first, ...others] = started;
    await Promise.all(others.map((part) => part.interrupt()));
    await first?.interrupt();
    for (const { agentId } of agents) await removeLeftovers(agentId);
    rmSync(folder, { recursive: true, force: true });
  };

  try {
    if (options.separateBus === true) started.push(await startBus(join(folder, "bus")));
    for (let index = 0; index < (options.brokers ?? 1); index += 1) {
      const hasOwnBus = index === 0 && options.separateBus !== true && options.busCredentials === undefined;
      brokers.push(await startBroker({ dataFolder: join(folder, `broker-${index}`), busCredentials: hasOwnBus ? undefined : busCredentials, environment: options.brokerEnvironments?.[index] ?? {} }, started));
    }
    const url = brokers[0]?.url ?? "";
    const fleet = createFleet({ url, transport: "http" });
    for (const [index, { siteId, environment = {} }] of options.agents.entries()) {
      const agentId = `${siteId}-${suffix}-${index}`;
      const { token } = await fleet.tokens.create({ site: siteId, agentId });
      const agent = await startAgent(["join", token], { agentId, siteId, dataFolder: join(folder, agentId), environment }, started);
      agents.push(agent);
    }
    await fleet.close();
  } catch (error) {
    await close();
    throw error;
  }
  const [broker] = brokers;
  if (broker === undefined) throw new Error("No broker was asked for");
  return { url: broker.url, broker, brokers, agents, busCredentials, close, [Symbol.asyncDispose]: close };
}

async function startBus(dataFolder: string): Promise<FleetProcess> {
  const { process, lines } = startProgram([busProgram, dataFolder], {});
  await lines.next();
  return process;
}

interface BrokerOptions {
  readonly dataFolder: string;
  readonly busCredentials: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
}

async function startBroker(options: BrokerOptions, started: FleetProcess[], listen = "127.0.0.1:0"): Promise<BrokerProcess> {
  const { dataFolder, busCredentials, environment } = options;
  const { process, lines } = startProgram([command, "broker", "--data", dataFolder, "--listen", listen], {
    LONGSHORE_BROKER_NATS_SERVER: natsServerExecutable,
    LONGSHORE_BROKER_LOG_LEVEL: "warn",
    ...(busCredentials !== undefined && { LONGSHORE_BROKER_BUS_CREDENTIALS: busCredentials }),
    ...environment,
  });
  started.push(process);
  const { url, apiKey } = JSON.parse(await lines.next()) as { url: string; apiKey?: string };
  return { ...process, url, apiKey, restart: (where) => startBroker(options, started, where) };
}

interface AgentOptions {
  readonly agentId: string;
  readonly siteId: string;
  readonly dataFolder: string;
  readonly environment: Readonly<Record<string, string>>;
}

async function startAgent(words: readonly string[], options: AgentOptions, started: FleetProcess[]): Promise<AgentProcess> {
  const { process, lines } = startProgram([command, ...words, "--json", "--data", options.dataFolder], { LONGSHORE_AGENT_LOG_LEVEL: "warn", ...options.environment });
  started.push(process);
  await lines.next();
  return { ...process, agentId: options.agentId, siteId: options.siteId, restart: () => startAgent(["agent", "run"], options, started) };
}

/** Starts a program of the repository under this Node; `prefix` are words in front (`ip netns exec …`). */
export function startProgram(words: readonly string[], environment: Readonly<Record<string, string>> = {}, prefix: readonly string[] = []): StartedProgram {
  const [program = process.execPath, ...rest] = [...prefix, process.execPath, ...words];
  const child = spawn(program, rest, { env: { ...process.env, ...environment }, stdio: ["ignore", "pipe", "pipe"] });
  const output: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => output.push(text));
  const exited = once(child, "exit").then(() => child.exitCode ?? -1);
  const reader = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const line = await reader.next();
    if (line.done === true) throw new Error(`${words.slice(1).join(" ")} ended with code ${await exited}: ${output.join("")}`);
    return line.value;
  };
  return { process: { pid: child.pid ?? 0, errors: () => output.join(""), ended: exited, kill: () => end(child, exited, "SIGKILL"), interrupt: () => end(child, exited, "SIGINT") }, lines: { next } };
}

/** Starts the command line. */
export function startCommand(words: readonly string[], environment: Readonly<Record<string, string>> = {}, prefix: readonly string[] = []): StartedProgram {
  return startProgram([command, ...words], environment, prefix);
}

async function end<T extends number | void>(child: ChildProcess, exited: Promise<number>, signal: NodeJS.Signals): Promise<T> {
  if (child.exitCode === null && child.signalCode === null) child.kill(signal);
  return (await exited) as T;
}

/** What an agent that was killed could not clean up. */
export async function removeLeftovers(agentId: string): Promise<void> {
  const engine = createDockerEngine({ agentId });
  await Promise.all((await engine.listOwned()).map(({ id }) => engine.removeContainer(id)));
  await engine.removeNetworks();
}
