import type { LogAnswerLine } from "@longshore/protocol";
import { LogReader, type ReaderQuery } from "./log-reader.ts";
import type { LogShelf, RingFollower } from "./log-shelf.ts";

/**
 * Gives the lines that are there, then with `follow` those that come until `signal` is aborted, also of functions that write their
 * first line later. With `marks` it says in between that it has caught up. It keeps no line itself: a slow reader is told what it
 * missed.
 */
export async function* readLines(shelf: LogShelf, follows: RingFollower["follows"], query: ReaderQuery & { readonly marks: boolean }, signal: AbortSignal): AsyncGenerator<LogAnswerLine> {
  const reader = new LogReader(shelf.choose({ follows }), query);
  let wake: () => void = () => undefined;
  const awaken = () => wake();
  const follower: RingFollower = {
    follows,
    ringAdded: (ring) => reader.add(ring),
    written(ring) {
      reader.written(ring);
      wake();
    },
  };
  const leave = query.follow ? shelf.follow(follower) : undefined;
  signal.addEventListener("abort", awaken);
  try {
    let mustSay = query.marks;
    while (!signal.aborted) {
      if (mustSay && reader.isCaughtUp) {
        mustSay = false;
        yield { caughtUp: true };
        continue;
      }
      const line = reader.next();
      if (line !== undefined) yield line;
      else if (!query.follow) return;
      else if (!(mustSay && reader.isCaughtUp)) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    leave?.();
    signal.removeEventListener("abort", awaken);
  }
}
