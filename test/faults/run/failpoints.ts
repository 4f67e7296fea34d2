import { agentFailpoints } from "../../../packages/agent/src/failpoint.ts";
import { brokerFailpoints } from "../../../packages/broker/src/failpoint.ts";
import type { Supervised } from "./supervised.ts";

const mostPassings = 3;

/** Each of these processes by itself, and at each failpoint that it has. */
export const atAgentFailpoints = (agentIds: readonly string[]) => withFailpoints(agentIds, agentFailpoints);
export const atBrokerFailpoints = (brokerIds: readonly string[]) => withFailpoints(brokerIds, brokerFailpoints);

/** The failpoint of a target, if it has one. */
export const failpointOf = (target: string): string | undefined => target.split("@")[1];

/**
 * Begins a process again, to die when it comes to its failpoint one of the next times; whoever supervises it brings it back then. The heal
 * says whether it came there; if not, it is killed and begun once more.
 */
export async function dieAt(supervised: Supervised, failpoint: string, random: () => number): Promise<() => Promise<{ readonly reached: boolean }>> {
  const before = supervised.deaths.length;
  await supervised.kill();
  await supervised.start({ [supervised.failpointVariable]: `${failpoint}:${1 + Math.floor(random() * mostPassings)}` });
  return async () => {
    const reached = supervised.deaths.length > before;
    if (!reached) await supervised.kill();
    await (reached ? supervised.untilUp() : supervised.start());
    return { reached };
  };
}

function withFailpoints(names: readonly string[], failpoints: readonly string[]): string[] {
  return names.flatMap((name) => [name, ...failpoints.map((failpoint) => `${name}@${failpoint}`)]);
}
