import type { Context } from "../command-line/context.ts";
import type { MapProgress } from "../fleet.ts";
import { inert } from "../terminal/inert.ts";
import { createProgress } from "../terminal/progress.ts";
import { createRate } from "../terminal/rate.ts";

/** Drawing costs more than counting. */
const betweenMs = 100;

/** Shows on a terminal's stderr how far a map has come: done, failed, of how many where that is known, and how fast. `total`: where it is known from the start. */
export function showMap(name: string, total: number | undefined, { terminal, now }: Pick<Context, "terminal" | "now">): { readonly update: (progress: MapProgress) => void; readonly finish: () => void } {
  const progress = createProgress(terminal, !terminal.isErrTerminal);
  const rate = createRate();
  let [latest, drawnMs] = [undefined as MapProgress | undefined, -Infinity];
  const draw = (told: MapProgress): void => {
    drawnMs = now();
    const done = told.succeeded + told.failed;
    const all = told.total ?? total;
    const perSecond = rate.add(done, drawnMs);
    const parts = [
      all === undefined ? `${done} done` : `${done} of ${all} done`,
      ...(told.failed > 0 ? [`${told.failed} failed`] : []),
      ...(perSecond === undefined ? [] : [`${Math.round(perSecond)}/s`]),
    ];
    progress.update(inert(name), parts.join(", "), done, all ?? 0);
  };
  return {
    update: (told) => {
      latest = told;
      if (now() - drawnMs >= betweenMs) draw(told);
    },
    finish: () => {
      if (latest !== undefined) draw(latest);
      progress.finish();
    },
  };
}
