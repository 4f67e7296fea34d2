import type { AgentView } from "@longshore/sdk";
import { confirm } from "../shell/confirm.tsx";
import { act } from "../shell/notices.tsx";
import { useSession } from "../shell/session-context.ts";

/** What can be done with a host: out of placement and back, and drained. */
export function HostActions({ agent }: { readonly agent: AgentView }) {
  const { fleet } = useSession();
  const { agentId, cordoned, state, capacity } = agent;
  const isGone = state === "lost" || state === "refused";
  const drain = async () => {
    const runs = capacity.running === 0 ? "Nothing runs there." : `${capacity.running} invocations run there and have up to 60 s to finish.`;
    if (await confirm(`Drain ${agentId}?`, `It takes no new work, and its instances are stopped. ${runs} Uncordon brings it back.`, "Drain")) await act(() => fleet.agents.drain(agentId), `${agentId} is drained`);
  };
  return (
    <div class="actions">
      {cordoned
        ? <button type="button" onClick={() => void act(() => fleet.agents.uncordon(agentId), `${agentId} takes work again`)}>Uncordon</button>
        : <button type="button" onClick={() => void act(() => fleet.agents.cordon(agentId), `${agentId} takes no new work`)}>Cordon</button>}
      <button type="button" disabled={isGone} title={isGone ? "It cannot be reached" : undefined} onClick={() => void drain()}>Drain</button>
    </div>
  );
}
