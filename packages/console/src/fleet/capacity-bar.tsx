import type { AgentView } from "@longshore/sdk";
import { formatBytes, formatCount } from "../shell/quantity.ts";
import type { Instances } from "./instances.ts";

/** What instances are doing, of as many as there is room for: busy, idle, held, free. */
export function CapacityBar({ instances: { busy, idle, held, room } }: { readonly instances: Instances }) {
  const label = `${formatCount(busy)} busy, ${formatCount(idle)} idle, ${formatCount(held)} held; room for about ${formatCount(room)}`;
  const share = (count: number) => ({ width: `${room === 0 ? 0 : Math.min(100, (count / room) * 100)}%` });
  return (
    <div class="capacity" role="img" aria-label={label} title={label}>
      <span class="busy" style={share(busy)} /><span class="idle" style={share(idle)} /><span class="held" style={share(held)} />
    </div>
  );
}

/** What the parts of such a bar are; of one bar with how many each is. */
export function CapacityLegend({ instances }: { readonly instances?: Instances }) {
  const count = (part: "busy" | "idle" | "held") => (instances === undefined ? "" : `${formatCount(instances[part])} `);
  return (
    <ul class="legend" aria-label="Instances">
      <li class="busy">{count("busy")}busy</li><li class="idle">{count("idle")}idle</li><li class="held">{count("held")}held</li><li class="free">free</li>
    </ul>
  );
}

/** How much of a host's memory is promised, as words. */
export function memoryText({ memoryBytes, memoryFreeBytes }: Pick<AgentView["capacity"], "memoryBytes" | "memoryFreeBytes">): string {
  return `${formatBytes(Math.max(0, memoryBytes - memoryFreeBytes))} of ${formatBytes(memoryBytes)}`;
}
