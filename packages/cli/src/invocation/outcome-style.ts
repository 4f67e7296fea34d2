import type { Outcome } from "@longshore/protocol";
import type { Style } from "../terminal/style.ts";

const colours: Readonly<Record<Outcome, "green" | "red" | "yellow" | "magenta">> = {
  succeeded: "green", failed: "red", oom_killed: "red", timed_out: "yellow", cancelled: "yellow", expired: "yellow", rejected: "magenta", lost: "magenta",
};

/** A text in its outcome's colour: red where the function failed, magenta where we did, yellow where time or somebody ended it. */
export function paintOutcome(outcome: Outcome, text: string, style: Style): string {
  return style[colours[outcome]](text);
}
