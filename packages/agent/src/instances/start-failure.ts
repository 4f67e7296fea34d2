import { LongshoreError } from "@longshore/protocol";
import type { ContainerState } from "../engine/engine.ts";
import { signalName } from "../hold/signal-name.ts";

const maxLines = 6;
const maxCharacters = 1_000;

/** How a container ended, for people: `it exited with code 127`. */
export function describeEnd(exit: ContainerState): string {
  if (exit.oomKilled) return "it ran out of memory";
  if (exit.error !== undefined && exit.error !== "") return exit.error;
  if (exit.exitCode === undefined) return "its container was removed";
  const signal = signalName(exit.exitCode - 128);
  return signal === undefined ? `it exited with code ${exit.exitCode}` : `it was ended by ${signal}`;
}

const killed = 128 + 9;

/** It was killed or removed, and not for memory: the first process of a container cannot do that to itself. */
export function isEndedFromOutside({ exitCode, oomKilled, error }: ContainerState): boolean {
  return !oomKilled && (error ?? "") === "" && (exitCode === undefined || exitCode === killed);
}

/** The same error with the last lines that the program wrote to stderr behind its message. */
export function withLastLines(error: LongshoreError, stderrTail: string | undefined): LongshoreError {
  const lines = stderrTail?.trimEnd().split("\n").slice(-maxLines).join("\n").slice(-maxCharacters) ?? "";
  if (lines === "") return error;
  return LongshoreError.fromShape({ ...error.toShape(), message: `${error.message}. Its last lines on stderr:\n${lines}` }, error.cause);
}
