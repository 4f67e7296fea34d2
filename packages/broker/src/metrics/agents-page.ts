import type { AgentEntry } from "../roster/agent-entry.ts";
import { agentMetrics as all } from "./definitions.ts";
import { type Definition, writeFamily } from "./family.ts";

/** So many agents stand on a page. */
const maxAgents = 10_000;

/** What a page reads of an agent. */
export type MeasuredAgent = Pick<AgentEntry, "address" | "standing" | "joined" | "capacity" | "lastHeardAt" | "shares">;

/** What the agents in reach said of themselves last, in Prometheus' text format; series are by site and agent. */
export function agentsPage(agents: Iterable<MeasuredAgent>): string {
  const shown: MeasuredAgent[] = [];
  let leftOut = 0;
  for (const agent of agents) {
    if (shown.length < maxAgents) shown.push(agent);
    else leftOut += 1;
  }
  const family = (definition: Definition, valueOf: (agent: MeasuredAgent) => number | undefined) =>
    writeFamily(definition, shown.flatMap((agent) => {
      const value = valueOf(agent);
      return value === undefined ? [] : [{ labels: [agent.address.siteId, agent.address.agentId, agent.standing], value }];
    }));
  return [
    writeFamily(all.leftOut, [{ labels: [], value: leftOut }]),
    family(all.state, () => 1),
    family(all.cordoned, ({ joined }) => Number(joined?.cordoned === true)),
    family(all.heardAt, ({ lastHeardAt }) => (lastHeardAt === undefined ? undefined : lastHeardAt.getTime() / 1000)),
    family(all.memory, ({ capacity }) => capacity?.memoryBytes),
    family(all.memoryFree, ({ capacity }) => capacity?.memoryFreeBytes),
    family(all.instancesMax, ({ capacity }) => capacity?.instancesMax),
    family(all.instancesFree, ({ capacity }) => capacity?.instancesFree),
    family(all.idle, ({ capacity }) => capacity?.idle),
    family(all.held, ({ capacity }) => capacity?.held),
    family(all.running, ({ capacity }) => capacity?.running),
    family(all.images, (agent) => countImages(agent)),
    family(all.disk, ({ capacity }) => capacity?.disk?.totalBytes),
    family(all.diskFree, ({ capacity }) => capacity?.disk?.freeBytes),
    family(all.diskImages, ({ capacity }) => capacity?.disk?.imagesBytes),
    family(all.diskShort, ({ capacity }) => (capacity?.disk === undefined ? undefined : Number(capacity.disk.pressure))),
  ].join("");
}

function countImages({ shares }: MeasuredAgent): number {
  let count = 0;
  for (const { capacity } of shares.values()) if (capacity?.imagePresent === true) count += 1;
  return count;
}
