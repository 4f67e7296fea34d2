import { setTimeout as pause } from "node:timers/promises";
import { type DeadLetter, invocationIdSchema, type InvocationView, LongshoreError, parseName } from "@longshore/protocol";
import { defineCommand } from "../command-line/command.ts";
import type { Context } from "../command-line/context.ts";
import { exitCodeOfInterruption, type Interruption } from "../command-line/interrupts.ts";
import { type ExitCode, exitCodes, exitCodeOfResult } from "../exit-code.ts";
import type { Fleet, InvocationHandle } from "../fleet.ts";
import { describeTrace } from "../invocation/describe-trace.ts";
import { timelineOf } from "../invocation/timeline.ts";
import { inert, inertJson } from "../terminal/inert.ts";
import { createProgress } from "../terminal/progress.ts";
import { formatAge } from "../terminal/quantity.ts";

const betweenLooksMs = 1_000;

/** `longshore trace` */
export const trace = defineCommand({
  path: ["trace"],
  summary: "Show one invocation as a timeline, and why it ended as it did",
  description:
    "From when it was accepted: placement (for a slot) or backlog, the start of its instance (warm, held or cold), the run, the reply; of accepted work each attempt with its end and the wait before the next. Bars are to scale. " +
    "Then its error, the end of its stderr, and the heads that were kept: an answer's, and of what is a dead letter the request's. The exit code is that of the invocation, or 0 while it is under way.",
  options: { follow: { short: "f", summary: "Wait for its end; Ctrl-C ends the waiting alone" } },
  arguments: { id: { summary: "The invocation's id, as watch invocations and invoke -i show it" } },
  examples: [
    ["longshore trace 0197a7c6-5f3e-7b12-9c58-0d8a4be3f001", "Where its time went"],
    ["longshore trace -f \"$(longshore invoke report --async)\"", "One that was just accepted, until its end"],
  ],
  run: async ({ args, options }, context): Promise<ExitCode> => {
    const handle = context.fleet().invocation(parseName(invocationIdSchema, args.id, "ID"));
    if (!options.follow) return show(await handle.status(), context);
    const signal = context.interrupts.signal();
    try {
      return await show(await followToEnd(handle, signal, context), context);
    } catch (error) {
      if (!signal.aborted) throw error;
      return exitCodeOfInterruption(signal.reason as Interruption);
    }
  },
});

async function show(view: InvocationView, { fleet, terminal, json, now }: Context): Promise<ExitCode> {
  const timeline = timelineOf(view, now());
  const request = await requestOf(view, fleet());
  if (json) terminal.print(inertJson({ ...view, timeline, ...(request !== undefined && { request }) }));
  else for (const line of describeTrace({ view, timeline, request }, { columns: terminal.size().columns, style: terminal.style })) terminal.print(line);
  return view.state === "finished" ? exitCodeOfResult(view.record.result) : exitCodes.succeeded;
}

/** How it was called: kept of what is a dead letter alone. */
async function requestOf(view: InvocationView, { deadLetters }: Pick<Fleet, "deadLetters">): Promise<DeadLetter["request"] | undefined> {
  if (view.state !== "finished" || view.record.result.outcome === "succeeded") return undefined;
  try {
    return (await deadLetters.get(view.record.invocationId)).request;
  } catch (error) {
    if (error instanceof LongshoreError && error.code === "not_found") return undefined;
    throw error;
  }
}

/** Looks each second, over broken connections, and tells how it stands meanwhile; gives the finished view. */
async function followToEnd(handle: InvocationHandle, signal: AbortSignal, { terminal, json, now }: Context): Promise<InvocationView> {
  const progress = createProgress(terminal, json);
  try {
    const first = await handle.status();
    if (first.state === "finished") return first;
    const ended = handle.ended({ signal });
    for (let view: InvocationView | undefined = first; ; view = await lookAgain(handle)) {
      if (view !== undefined && view.state !== "finished") progress.update(inert(view.functionName), standing(view, terminal.isErrLive ? now() : undefined));
      const record = await Promise.race([ended, pause(betweenLooksMs, undefined, { ref: false, signal })]);
      if (record !== undefined) return { state: "finished", record };
    }
  } finally {
    progress.finish();
  }
}

async function lookAgain(handle: InvocationHandle): Promise<InvocationView | undefined> {
  try {
    return await handle.status();
  } catch {
    return undefined; // Whoever waits for its end hears of what does not pass.
  }
}

/** `running at plant/plant-1, attempt 2, 12s`; without a time nothing but a change makes another text. */
function standing(view: Exclude<InvocationView, { state: "finished" }>, nowMs: number | undefined): string {
  const where = view.agentId === undefined ? "" : ` at ${view.siteId}/${view.agentId}`;
  return inert([`${view.state}${where}`, ...(view.attempt === undefined || view.attempt === 1 ? [] : [`attempt ${view.attempt}`]), ...(nowMs === undefined ? [] : [formatAge(view.acceptedAt, nowMs)])].join(", "));
}
