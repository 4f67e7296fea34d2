import { defineCommand } from "../command-line/command.ts";
import { exitCodeOfInterruption, type Interruption } from "../command-line/interrupts.ts";
import { type ExitCode, exitCodes } from "../exit-code.ts";
import { inertJson } from "../terminal/inert.ts";
import { drawSnapshot } from "../top/draw.ts";
import { createFleetNow } from "../top/fleet-now.ts";
import { noticeOf } from "../top/notice.ts";
import { followFleet, lookOnce } from "../top/follow-fleet.ts";
import { type Rows, rowsOf } from "../top/rows.ts";
import { runScreen } from "../top/run-screen.ts";
import { firstView } from "../top/view.ts";

/** `longshore top` */
export const top = defineCommand({
  path: ["top"],
  summary: "Show hosts and functions live, on the whole terminal",
  description:
    "Hosts by site with their state, what they run and their memory; functions with their rate, failures, p50 and p99, kinds of starts, and a plot of the last ten minutes. Keys: ? shows them, q ends it.\n\n" +
    "Where stdout is no terminal, and with --once, it writes one look at it as text and ends; with --json as a document.",
  options: { once: { summary: "One look, as text" } },
  arguments: {},
  examples: [["longshore top", "Until q"], ["longshore top --once --json | jq .totals", "For a program"]],
  run: async ({ options }, context): Promise<ExitCode> => {
    const { terminal, json, interrupts, now, connection } = context;
    const signal = interrupts.signal();
    const leaving = new AbortController();
    const until = AbortSignal.any([signal, leaving.signal]);
    const state = createFleetNow(now());
    try {
      if (terminal.isOutTerminal && !options.once && !json) {
        await runScreen(state, followFleet(context.fleet(), state, { signal: until, now }), { terminal, signal, now, url: connection.url });
        return exitCodes.succeeded;
      }
      await lookOnce(context.fleet(), state, { signal, now });
      const rows = rowsOf(state, firstView, now());
      if (json) terminal.print(inertJson(documentOf(rows, now())));
      else for (const line of drawSnapshot({ rows, style: terminal.style, atMs: now(), url: connection.url, notice: noticeOf(state, now()) }, terminal.isOutTerminal ? terminal.size().columns : 140)) terminal.print(line);
      return exitCodes.succeeded;
    } catch (error) {
      if (!signal.aborted) throw error;
      return exitCodeOfInterruption(signal.reason as Interruption);
    } finally {
      leaving.abort();
    }
  },
});

/** What a program reads: `hosts` by site, `functions` the busiest first; figures are those of the last minute. */
function documentOf({ hosts, functions, totals }: Rows, nowMs: number): object {
  return {
    at: new Date(nowMs).toISOString(),
    totals,
    hosts: hosts.flatMap((row) => (row.kind === "site" ? [] : [{ agentId: row.agent.agentId, siteId: row.agent.siteId, state: row.state, ...row.load }])),
    functions: functions.map(({ name, running, figures }) => ({ name, running, ...figures })),
  };
}
