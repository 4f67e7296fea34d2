import type { Context } from "../command-line/context.ts";
import { type ExitCode, exitCodes } from "../exit-code.ts";
import { inert } from "../terminal/inert.ts";
import { createProgress } from "../terminal/progress.ts";
import type { AgentRequest } from "./parts.ts";
import { createStartedParts } from "./started.ts";

/** Runs a host's agent in the foreground until an interrupt, which drains it; a second one ends it at once. */
export async function runAgent(request: AgentRequest, drainMs: number, { terminal, interrupts, json, loadLocalParts }: Context): Promise<ExitCode> {
  const interrupted = interrupts.next();
  const { startAgent } = await loadLocalParts();
  const started = createStartedParts(interrupts, createProgress(terminal, true));
  const isReady = started.add("agent", () => startAgent(request));
  try {
    const running = await Promise.race([isReady, interrupted]);
    if (typeof running === "string") return exitCodes.cancelled;
    const { agentId, siteId } = running;
    terminal.print(json ? JSON.stringify({ agentId, siteId }) : inert(`Agent ${agentId} of site ${siteId} takes work. Ctrl-C drains it.`));
    await interrupted;
    if (!json) terminal.note("Draining: Ctrl-C again ends it at once.");
    return exitCodes.succeeded;
  } finally {
    await started.stop(drainMs);
  }
}
