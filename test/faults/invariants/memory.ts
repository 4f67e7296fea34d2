import { median } from "../../../bench/measure.ts";
import type { ArrangedHistory } from "../arrange.ts";
import type { EventOf } from "../history.ts";
import type { Limits } from "../limits.ts";
import { type Finding, type Verdict, verdictOf } from "../verdict.ts";

/** With fewer samples a process is only held against the most that it may take. */
const fewestForTrend = 16;
const mebibyte = 2 ** 20;

/** What is stored is there to grow: of sync calls a quarter of an hour in its memory, bounded, and of accepted work an index. */
const stores = new Set(["nats"]);

/** I11: no process takes more than the most, nor, unless it stores, grows from its second quarter to its last: the first is for warming up. */
export function checkMemory(history: ArrangedHistory, limits: Limits): Verdict {
  const processes = [...Map.groupBy(history.of("memory"), ({ part, processId }) => `${part} ${processId}`).values()];
  return verdictOf("I11", processes, (samples) => findExcess(samples, limits) ?? findGrowth(samples, limits));
}

function findExcess(samples: readonly EventOf<"memory">[], { mostMemoryBytes }: Limits): Finding | undefined {
  const over = samples.find(({ bytes }) => bytes > mostMemoryBytes);
  return over && { sentence: `"${over.part}" took ${Math.round(over.bytes / mebibyte)} MiB, more than the ${Math.round(mostMemoryBytes / mebibyte)} that it may`, events: [over] };
}

function findGrowth(samples: readonly EventOf<"memory">[], { mostMemoryGrowth }: Limits): Finding | undefined {
  if (samples.length < fewestForTrend || stores.has(samples[0]?.part ?? "")) return undefined;
  const quarter = Math.floor(samples.length / 4);
  const second = samples.slice(quarter, 2 * quarter);
  const last = samples.slice(-quarter);
  const [before, after] = [second, last].map((part) => median(part.map(({ bytes }) => bytes))) as [number, number];
  if (after <= before * mostMemoryGrowth) return undefined;
  return { sentence: `"${samples[0]?.part ?? ""}" grew from ${Math.round(before / mebibyte)} to ${Math.round(after / mebibyte)} MiB`, events: [...second.slice(0, 1), ...last.slice(-1)] };
}
