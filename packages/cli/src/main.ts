import { createInterrupts } from "./command-line/interrupts.ts";
import { runCommandLine } from "./command-line/run.ts";
import { commands } from "./commands.ts";
import { connectFleet } from "./sdk-fleet.ts";
import { createTerminal } from "./terminal/terminal.ts";

// Nobody is left to tell when stderr's reader is gone; stdout's is the interrupts' affair.
process.stderr.on("error", () => undefined);

/** A process that fails or is told to end at once gives its terminal back all the same. */
function onProcessEnd(act: () => void): () => void {
  process.once("exit", act);
  return () => void process.off("exit", act);
}

process.exitCode = await runCommandLine(process.argv.slice(2), {
  commands,
  terminal: createTerminal({ input: process.stdin, out: process.stdout, err: process.stderr, environment: process.env, onProcessEnd }),
  environment: process.env,
  interrupts: createInterrupts(process),
  createFleet: connectFleet,
  // Broker and agent are large, and most commands need neither.
  loadLocalParts: async () => (await import("./local-fleet.ts")).localParts,
  now: Date.now,
});
// A pipe that nobody closes must not keep us here once the answer is out.
process.stdin.destroy();
