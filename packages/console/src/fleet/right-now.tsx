import { summarize } from "../functions/summary.ts";
import type { KnownHistory } from "../functions/use-history.ts";
import { Link } from "../shell/link.tsx";
import { Figure, Meter } from "../shell/parts.tsx";
import { formatBytes, formatCount, formatMs } from "../shell/quantity.ts";
import { useNow } from "../shell/now.ts";
import { useSession } from "../shell/session-context.ts";
import { memoryShares, type Totals } from "./totals.ts";

const lastMs = 60_000;

/** The fleet in ten seconds: is it whole, what does it do, how well, how full is it. */
export function RightNow({ totals, history }: { readonly totals: Totals; readonly history: KnownHistory }) {
  const session = useSession();
  const nowMs = useNow();
  const { value: connection } = session.connection;
  const sinceMs = history.from === "page" && connection.phase === "live" ? Math.max(nowMs - lastMs, connection.sinceMs) : nowMs - lastMs;
  const points = (session.functions.value ?? []).flatMap(({ name }) => history.points(name));
  const recent = summarize(points, Math.floor(sinceMs / 10_000) * 10_000, nowMs);
  const ready = totals.states.ready ?? 0;
  const { used } = memoryShares(totals);
  const failed = Math.round(recent.failedShare * recent.count);
  return (
    <dl class="figures" aria-label="Right now">
      <Figure label="Hosts ready" value={`${formatCount(ready)} / ${formatCount(totals.hosts)}`} detail={statesText(totals)} tone={(totals.states.lost ?? 0) + (totals.states.unhealthy ?? 0) > 0 ? "bad" : undefined} />
      <Figure label="Running" value={formatCount(totals.running)} detail={`instances: ${formatCount(totals.busy)} busy, ${formatCount(totals.idle)} idle, ${formatCount(totals.held)} held`} />
      <Figure label="Calls, last minute" value={`${formatCount(recent.perSecond)}/s`} detail={recent.p50Ms === undefined ? "none ended" : `median ${formatMs(recent.p50Ms)}`} />
      <Figure label="Failed, last minute" value={failed === 0 ? 0 : <Link to={["invocations"]} query={{ outcome: "troubled" }}>{formatCount(failed)}</Link>} detail={`${(recent.failedShare * 100).toFixed(1)} %`} tone={failed > 0 ? "bad" : undefined} />
      <Figure label="Memory promised" value={`${Math.round(used * 100)} %`} detail={<><Meter share={used} label={`${Math.round(used * 100)} % of the memory is promised`} />{formatBytes(totals.memoryBytes)} in all</>} />
      <Figure label="Images" value={formatBytes(totals.imagesBytes)} detail={totals.shortOfDisk === 0 ? "on the hosts' disks" : `${totals.shortOfDisk} hosts short of disk`} tone={totals.shortOfDisk > 0 ? "warn" : undefined} />
    </dl>
  );
}

function statesText({ states }: Totals): string {
  const others = Object.entries(states).filter(([state, count]) => state !== "ready" && count > 0);
  return others.length === 0 ? "all of them" : others.map(([state, count]) => `${count} ${state}`).join(", ");
}
