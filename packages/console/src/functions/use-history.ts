import type { HistoryPoint } from "@longshore/protocol";
import { usePolled } from "../shell/now.ts";
import { useDraws } from "../shell/use-draws.ts";
import { useSession } from "../shell/session-context.ts";
import { readHistory } from "./history-source.ts";
import { liveStepMs } from "./live-history.ts";

/** What became of invocations over time, by function, and where that is from. */
export interface KnownHistory {
  readonly points: (functionName: string) => readonly HistoryPoint[];
  readonly stepMs: number;
  /** `page`: this broker keeps none, or has not said it yet; only what happened since the page was opened is there. */
  readonly from: "broker" | "page";
}

const everyMs = 10_000;

/** History of one function, or of each, drawn again as it grows; the last minute comes from what the page itself was told. */
export function useHistory(functionName: string | undefined, lastMs: number): KnownHistory {
  const session = useSession();
  useDraws(session.tailDraws);
  const { value } = usePolled(() => readHistory(session.fleet, { ...(functionName !== undefined && { function: functionName }), lastMs }), everyMs, [functionName, lastMs]);
  const stepMs = lastMs <= 3_600_000 ? liveStepMs : lastMs <= 86_400_000 ? 60_000 : 900_000;
  if (value === undefined) return { points: (name) => session.live.points(name), stepMs: liveStepMs, from: "page" };
  return { points: (name) => withLive(value.get(name) ?? [], stepMs === liveStepMs ? session.live.points(name) : []), stepMs, from: "broker" };
}

/** Steps that the broker has not told of yet, as the page was told of them. */
function withLive(told: readonly HistoryPoint[], live: readonly HistoryPoint[]): readonly HistoryPoint[] {
  const untilMs = told.at(-1)?.atMs ?? -Infinity;
  return [...told, ...live.filter(({ atMs }) => atMs > untilMs)];
}
