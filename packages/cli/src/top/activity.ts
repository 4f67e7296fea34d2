import type { HistoryPoint, InvocationRecord, Outcome, StartKind } from "@longshore/protocol";

/** Of that length are the steps of an activity, as those of a history. */
export const stepMs = 10_000;
/** So far back does it reach. */
export const keptSteps = 60;
/** Of each step so many durations are kept at most: more tell little more. */
const mostDurations = 200;

/** What ended within one step. */
export interface Step {
  readonly atMs: number;
  ended: number;
  failed: number;
  readonly starts: Partial<Record<StartKind, number>>;
  /** Of those whose caller waited, as far as they were seen; milliseconds. */
  readonly durations: number[];
  /** Of a history: percentiles of what was not seen. */
  told: HistoryPoint["durations"];
}

/** What became of invocations over the last {@link keptSteps} steps, by the step in which they ended. */
export type Activity = Map<number, Step>;

/** Cancelled ones did not fail: somebody wanted no more of them. */
export function isFailure(outcome: Outcome): boolean {
  return outcome !== "succeeded" && outcome !== "cancelled";
}

/** Takes in an invocation that was seen to end. */
export function addRecord(activity: Activity, { result, start, timings, finishedAt }: InvocationRecord, nowMs: number): void {
  const endedMs = Date.parse(finishedAt);
  // A broker's clock may be ahead; what has just ended belongs to now.
  const step = stepAt(activity, Math.min(Number.isFinite(endedMs) ? endedMs : nowMs, nowMs), nowMs);
  step.ended += 1;
  if (isFailure(result.outcome)) step.failed += 1;
  if (start !== undefined) step.starts[start] = (step.starts[start] ?? 0) + 1;
  if (timings.totalMs === undefined) return;
  if (step.durations.length < mostDurations) step.durations.push(timings.totalMs);
  else step.durations[step.ended % mostDurations] = timings.totalMs;
}

/** Takes in what a broker's history has: of steps that are over it knows more than was seen here. */
export function addHistory(activity: Activity, points: readonly HistoryPoint[], untilMs: number, nowMs: number): void {
  for (const { atMs, outcomes, starts, durations } of points) {
    if (atMs + stepMs > untilMs) continue;
    const step = stepAt(activity, atMs, nowMs);
    const counts = Object.entries(outcomes) as [Outcome, number][];
    const ended = sum(counts.map(([, count]) => count));
    if (ended < step.ended) continue; // Another broker's part is on its way.
    step.ended = ended;
    step.failed = sum(counts.filter(([outcome]) => isFailure(outcome)).map(([, count]) => count));
    Object.assign(step.starts, starts);
    if (step.durations.length < (durations?.count ?? 0)) step.told = durations;
  }
}

function stepAt(activity: Activity, ms: number, nowMs: number): Step {
  const atMs = Math.floor(ms / stepMs) * stepMs;
  const step = activity.get(atMs) ?? { atMs, ended: 0, failed: 0, starts: {}, durations: [], told: undefined };
  activity.set(atMs, step);
  if (activity.size > keptSteps + 1) for (const key of activity.keys()) if (key < nowMs - keptSteps * stepMs) activity.delete(key);
  return step;
}

/** The last while of an activity in figures. */
export interface Figures {
  /** Over the last minute, or less where it was watched for less. */
  readonly perSecond: number;
  readonly ended: number;
  readonly failed: number;
  readonly starts: Readonly<Record<StartKind, number>>;
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
  /** How many ended in each step that is kept, oldest first, the one under way last. */
  readonly plot: readonly number[];
}

const lookBackSteps = 6;

/** Figures of several activities together, the last minute's but for the plot. `sinceMs`: nothing is known of before. */
export function figuresOf(activities: readonly Activity[], nowMs: number, sinceMs: number): Figures {
  const currentMs = Math.floor(nowMs / stepMs) * stepMs;
  const fromMs = currentMs - lookBackSteps * stepMs;
  const recent = activities.flatMap((activity) => [...activity.values()].filter(({ atMs }) => atMs >= fromMs && atMs <= currentMs));
  const ended = sum(recent.map((step) => step.ended));
  const starts = { warm: 0, held: 0, cold: 0 };
  for (const step of recent) for (const kind of ["warm", "held", "cold"] as const) starts[kind] += step.starts[kind] ?? 0;
  const seconds = Math.max(1, (nowMs - Math.max(fromMs, sinceMs)) / 1000);
  const plot = Array.from({ length: keptSteps }, (_, at) => sum(activities.map((activity) => activity.get(currentMs - (keptSteps - 1 - at) * stepMs)?.ended ?? 0)));
  return { perSecond: ended / seconds, ended, failed: sum(recent.map((step) => step.failed)), starts, ...percentilesOf(recent), plot };
}

/** Of what was seen; where a history knows of more, the worst that it tells. */
function percentilesOf(steps: readonly Step[]): Pick<Figures, "p50Ms" | "p99Ms"> {
  const seen = steps.flatMap(({ durations, told }) => (told === undefined ? durations : [])).toSorted((a, b) => a - b);
  const told = steps.flatMap((step) => (step.told === undefined ? [] : [step.told]));
  const toldCount = sum(told.map(({ count }) => count));
  const at = (share: number) => seen[Math.min(seen.length - 1, Math.floor(seen.length * share))];
  if (toldCount <= seen.length) return { p50Ms: at(0.5), p99Ms: at(0.99) };
  return { p50Ms: sum(told.map(({ count, p50Ms }) => count * p50Ms)) / toldCount, p99Ms: Math.max(...told.map(({ p99Ms }) => p99Ms), at(0.99) ?? 0) };
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((all, amount) => all + amount, 0);
}
