import type { DeployProgress } from "../fleet.ts";
import { inert } from "../terminal/inert.ts";
import type { Progress } from "../terminal/progress.ts";
import { formatBytes } from "../terminal/quantity.ts";
import { createRate, type Rate } from "../terminal/rate.ts";

/** Shows pulls as they go on, one line for each agent: layers, bytes, and how fast they come. `now`: epoch milliseconds. */
export function showPulls(progress: Progress, now: () => number): (told: DeployProgress) => void {
  const rates = new Map<string, Rate>();
  return ({ siteId, agentId, pull }) => {
    const name = inert(`${siteId}/${agentId}`);
    const rate = rates.get(name) ?? createRate();
    rates.set(name, rate);
    const perSecond = rate.add(pull.bytesDone, now());
    const isComing = pull.bytes > 0 && pull.bytesDone < pull.bytes;
    const size = pull.bytes > 0 ? ` ${formatBytes(pull.bytesDone)} of ${formatBytes(pull.bytes)}` : "";
    const speed = isComing && perSecond !== undefined ? ` ${formatBytes(Math.round(perSecond))}/s` : "";
    progress.update(name, `pulling, ${pull.layersDone} of ${pull.layers} layers${size}${speed}`, pull.bytesDone, pull.bytes);
  };
}
