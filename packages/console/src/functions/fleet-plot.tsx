import { outcomes } from "@longshore/protocol";
import { Plot } from "../plot/plot.tsx";
import { useNow } from "../shell/now.ts";
import { Panel } from "../shell/parts.tsx";
import { formatPerSecond } from "../shell/quantity.ts";
import { useSession } from "../shell/session-context.ts";
import { together } from "./fleet-history.ts";
import type { KnownHistory } from "./use-history.ts";

/** So far back a fleet's history is shown. */
export const fleetHistoryMs = 600_000;

/** How many invocations ended over the last ten minutes, of all functions together, and how. */
export function FleetPlot({ history }: { readonly history: KnownHistory }) {
  const { functions } = useSession();
  const { points: pointsOf, stepMs } = history;
  const untilMs = Math.ceil(useNow() / stepMs) * stepMs;
  const points = together((functions.value ?? []).map(({ name }) => pointsOf(name))).filter(({ atMs }) => atMs >= untilMs - fleetHistoryMs);
  const names = outcomes.filter((name) => name === "succeeded" || points.some((point) => point.outcomes[name] !== undefined));
  return (
    <Panel title="Last 10 minutes">
      <Plot title="Ended" kind="stack" names={names} points={points.map(({ atMs, outcomes: values }) => ({ atMs, values }))} scale={1000 / stepMs} format={formatPerSecond} fromMs={untilMs - fleetHistoryMs} untilMs={untilMs} stepMs={stepMs} />
    </Panel>
  );
}
