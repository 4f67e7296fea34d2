import type { AgentView } from "@longshore/protocol";
import type { Style } from "./terminal/style.ts";

/** One word for an agent's state, cordon and a disk too full to pull images. */
export function agentState(agent: AgentView): string {
  if (agent.state !== "ready") return agent.state;
  if (agent.cordoned) return "cordoned";
  return agent.capacity.disk?.pressure === true ? "disk-full" : "ready";
}

/** A text in the colour of that state: green where it takes work, red where something is wrong, else yellow. */
export function paintAgentState(state: string, text: string, style: Style): string {
  if (state === "ready") return style.green(text);
  return state === "lost" || state === "refused" || state === "unhealthy" ? style.red(text) : style.yellow(text);
}
