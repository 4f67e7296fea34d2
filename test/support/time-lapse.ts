const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const duration = String.raw`(\d+)(ms|s|m|h)`;
const settings = new RegExp(String.raw`^(\s*(?:for|scrape_interval|evaluation_interval): )${duration}$`, "gm");
const ages = /(time\(\) - process_start_time_seconds < )(\d+)/g;
const ranges = new RegExp(String.raw`\[${duration}(:?)\]`, "g");

/**
 * Rules or a configuration of Prometheus under which its time passes that many times as fast: each `for:`, scrape interval, evaluation interval,
 * range of an expression and age that a process is asked for is so much shorter, and nothing else differs.
 */
export function timeLapse(text: string, times: number): string {
  const shorter = (count: string, unit: string) => `${Math.round((Number(count) * (unitsMs[unit] ?? 0)) / times)}ms`;
  return text
    .replaceAll(settings, (_, setting: string, count: string, unit: string) => setting + shorter(count, unit))
    .replaceAll(ages, (_, age: string, seconds: string) => `${age}${Number(seconds) / times}`)
    .replaceAll(ranges, (_, count: string, unit: string, colon: string) => `[${shorter(count, unit)}${colon}]`);
}
