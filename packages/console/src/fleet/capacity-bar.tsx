import type { AgentView } from "@longshore/sdk";
import { formatBytes } from "../shell/quantity.ts";

/** What a host's instances are doing, of as many as it may have: busy, idle, held, free. */
export function CapacityBar({ capacity }: Pick<AgentView, "capacity">) {
  const { instancesMax, instancesFree, idle, held } = capacity;
  const used = Math.max(0, instancesMax - instancesFree);
  const busy = Math.max(0, used - idle - held);
  const label = `${busy} busy, ${idle} idle, ${held} held, ${instancesFree} free of ${instancesMax} instances`;
  const share = (count: number) => ({ width: `${instancesMax === 0 ? 0 : Math.min(100, (count / instancesMax) * 100)}%` });
  return (
    <div class="capacity" role="img" aria-label={label} title={label}>
      <span class="busy" style={share(busy)} /><span class="idle" style={share(idle)} /><span class="held" style={share(held)} />
    </div>
  );
}

/** What the parts of such a bar are. */
export function CapacityLegend() {
  return (
    <ul class="legend" aria-label="Instances">
      <li class="busy">busy</li><li class="idle">idle</li><li class="held">held</li><li class="free">free</li>
    </ul>
  );
}

/** How much of a host's memory is promised, as words. */
export function memoryText({ memoryBytes, memoryFreeBytes }: Pick<AgentView["capacity"], "memoryBytes" | "memoryFreeBytes">): string {
  return `${formatBytes(Math.max(0, memoryBytes - memoryFreeBytes))} of ${formatBytes(memoryBytes)}`;
}
