import { totalmem } from "node:os";
import { join } from "node:path";
import { defaultPort, type FunctionView, LongshoreError } from "@longshore/protocol";
import type { Context } from "../command-line/context.ts";
import { resolveConnection } from "../command-line/run.ts";
import type { Fleet, TokenRequest } from "../fleet.ts";
import type { Progress } from "../terminal/progress.ts";
import type { AgentRequest, BrokerRequest, LocalParts, RunningAgent, RunningBroker } from "./parts.ts";
import type { StartedParts } from "./started.ts";

/** What to bring up, and with what. */
export interface BringUp {
  /** One agent at each. */
  readonly sites: readonly string[];
  /** Where everything is kept. */
  readonly dataFolder: string;
  readonly request: BrokerRequest;
  readonly withExamples: boolean;
  readonly started: StartedParts;
  readonly progress: Progress;
  readonly context: Context;
}

/** A whole fleet in this process. */
export interface OneMachineFleet {
  readonly broker: RunningBroker;
  readonly agents: readonly RunningAgent[];
  /** What is deployed, as far as we may look. */
  readonly functions: readonly FunctionView[];
}

/**
 * Starts a broker, then an agent per site, each joined as any host is; with `withExamples` deploys those. What has started is in `started`,
 * also when it throws.
 */
export async function bringUp({ sites, dataFolder, request, withExamples, started, progress, context }: BringUp): Promise<OneMachineFleet> {
  const parts = await context.loadLocalParts();
  const broker = await started.add("broker", () => parts.startBroker(request));
  const key = broker.apiKey ?? resolveConnection({}, context.environment).key;
  const fleet = context.connect({ url: broker.url, key, caFile: broker.caFile });
  try {
    // They share one host: each may promise its part of the memory.
    const memoryBytes = Math.floor((totalmem() * 0.8) / sites.length);
    const agents = await Promise.all(
      sites.map((site) => started.add(`agent ${site}`, () => startSite({ site, agentId: agentIdOf(site, broker) }, { ...request, dataFolder: join(dataFolder, "agents", site), memoryBytes }, parts, fleet))),
    );
    if (withExamples) {
      const { deployExamples } = await import("../examples/deploy-examples.ts");
      await deployExamples(fleet, { progress, signal: context.interrupts.signal(), environment: context.environment });
    }
    return { broker, agents, functions: await listIfAllowed(fleet) };
  } finally {
    await fleet.close();
  }
}

/**
 * An agent's containers bear its id, and it removes those that it finds at its start. So that the next fleet here clears away what a killed
 * one left, and two side by side leave each other alone, the id goes with the port: no two fleets of one machine share that.
 */
function agentIdOf(site: string, { url }: RunningBroker): string {
  const port = Number(new URL(url).port);
  return `${site.slice(0, 50)}-${port === defaultPort ? 1 : port}`;
}

/** Joins as any host does, once per data folder, then runs the agent. */
async function startSite({ site, agentId }: TokenRequest & { readonly agentId: string }, request: AgentRequest, parts: LocalParts, fleet: Fleet): Promise<RunningAgent> {
  if ((await parts.joinedAs(request)) === undefined) {
    const { token } = await fleet.tokens.create({ site, agentId });
    await parts.joinHost(token, request);
  }
  return parts.startAgent(request);
}

/** A kept fleet showed its key only at its first start: without one we may not look, and need not. */
async function listIfAllowed(fleet: Fleet): Promise<readonly FunctionView[]> {
  try {
    return await fleet.list();
  } catch (error) {
    if (error instanceof LongshoreError && error.code === "unauthenticated") return [];
    throw error;
  }
}
