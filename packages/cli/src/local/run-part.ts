import type { Context } from "../command-line/context.ts";
import { type ExitCode, exitCodes } from "../exit-code.ts";
import { inert } from "../terminal/inert.ts";
import { createProgress } from "../terminal/progress.ts";
import type { AgentRequest, LocalParts, RunningPart } from "./parts.ts";
import { createStartedParts } from "./started.ts";

/** One part to run in the foreground. */
export interface ForegroundPart<T extends RunningPart> {
  readonly name: string;
  readonly start: (parts: LocalParts) => Promise<T>;
  readonly tellReady: (running: T) => void;
  /** How long what runs may take to finish; default: the part's own setting. */
  readonly drainMs: number | undefined;
}

/** Runs a part until an interrupt, which drains it; a second one ends it at once. Its log tells of starting and stopping. */
export async function runPart<T extends RunningPart>({ name, start, tellReady, drainMs }: ForegroundPart<T>, { terminal, interrupts, loadLocalParts }: Context): Promise<ExitCode> {
  const interrupted = interrupts.next();
  const parts = await loadLocalParts();
  const silent = createProgress(terminal, true);
  const started = createStartedParts(interrupts, silent);
  const isReady = started.add(name, () => start(parts));
  try {
    const running = await Promise.race([isReady, interrupted]);
    if (typeof running === "string") return exitCodes.cancelled;
    tellReady(running);
    await interrupted;
    return exitCodes.succeeded;
  } finally {
    await started.stop(drainMs, silent);
  }
}

/** Runs this host's agent in the foreground. */
export function runAgent(request: AgentRequest, drainMs: number | undefined, context: Context): Promise<ExitCode> {
  const { terminal, json } = context;
  return runPart({
    name: "agent",
    start: (parts) => parts.startAgent(request),
    tellReady: ({ agentId, siteId }) => terminal.print(json ? JSON.stringify({ agentId, siteId }) : inert(`Agent ${agentId} of site ${siteId} takes work. Ctrl-C drains it, twice ends it at once.`)),
    drainMs,
  }, context);
}
