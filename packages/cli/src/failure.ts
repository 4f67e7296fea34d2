import { inspect } from "node:util";
import { type ErrorShape, LongshoreError } from "@longshore/protocol";
import { UsageError } from "./command-line/usage-error.ts";
import { type ExitCode, exitCodeOfError, exitCodes } from "./exit-code.ts";
import { inert, inertJson, inertLines } from "./terminal/inert.ts";
import type { Terminal } from "./terminal/terminal.ts";

/** A failure as people and programs are told of it. */
export interface Failure {
  readonly message: string;
  readonly hint: string | undefined;
  readonly exitCode: ExitCode;
  readonly shape: ErrorShape;
}

/** What to do about an error, by its reason. */
const hints: Readonly<Record<string, string>> = {
  connection_lost: "longshore up starts a fleet here; --url or LONGSHORE_URL names another broker",
  bus_down: "the broker does not reach its NATS server; longshore doctor looks at both",
  key_missing: "give --key or set LONGSHORE_KEY",
  backup_damaged: "nothing was touched; take another copy of the file, or another backup",
  token_invalid: "longshore token create makes a new one; an API key is given by --key or LONGSHORE_KEY",
  token_expired: "longshore token create makes a new one; it lives 15 minutes",
  token_used: "a token joins one host; longshore token create makes another",
  function_not_found: "longshore ls lists what is deployed",
  agent_not_found: "longshore agent ls lists the agents",
  site_not_found: "longshore site ls lists the sites",
  invocation_not_found: "records of finished invocations are kept for 15 minutes, of accepted ones for seven days",
  image_not_found: "an image that exists only in one engine is found only by an agent on that engine",
  registry_denied: "longshore registry login HOST -u USER --password-stdin sets the credentials",
  registry_not_found: "longshore registry ls lists those that there are",
  wrong_architecture: "longshore agent ls --json shows each agent's architecture",
  no_agent_eligible: "longshore agent ls shows each agent's site, labels and state",
  no_free_slot: "try again later, or raise --max-instances-per-agent or --concurrency",
  backlog_full: "try again later, or add an agent: longshore token create --site SITE",
  ambiguous_port: "say which one with --port",
  image_has_no_command: "give one with --command",
  instance_start_failed: "longshore logs NAME shows what the image wrote",
  engine_unavailable: "longshore doctor looks at this host's engine",
};

/** The message of any thrown value. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Any thrown value as something to tell. */
export function describeFailure(error: unknown, action: string): Failure {
  if (error instanceof UsageError) {
    return { message: error.message, hint: error.hint, exitCode: exitCodes.usage, shape: { code: "invalid_argument", reason: "usage", message: error.message } };
  }
  const ours = LongshoreError.from(error, action);
  const hint = hints[ours.reason] ?? (ours.reason === "unexpected" ? "LONGSHORE_DEBUG=1 shows where it happened" : undefined);
  return { message: ours.message, hint, exitCode: exitCodeOfError(ours), shape: ours.toShape() };
}

/** Tells of a failure: one line and a hint on stderr, with `json` also the error on stdout; the stack only on request. */
export function reportFailure(error: unknown, action: string, { terminal, environment, json }: { terminal: Terminal; environment: NodeJS.ProcessEnv; json: boolean }): ExitCode {
  const { message, hint, exitCode, shape } = describeFailure(error, action);
  const style = terminal.errStyle;
  terminal.note(`${style.red("longshore:")} ${inert(message)}`);
  if (hint !== undefined) terminal.note(style.dim(`  ${inertLines(hint)}`));
  if (environment["LONGSHORE_DEBUG"]) terminal.note(inertLines(inspect(error, { depth: 6 })));
  if (json) terminal.print(inertJson({ error: shape }));
  return exitCode;
}
