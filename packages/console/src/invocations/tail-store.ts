import type { FleetEvent, InvocationRecord } from "@longshore/sdk";
import { StillRing } from "../shell/still-ring.ts";
import { type InvocationFilter, matches } from "./invocation-filter.ts";

/** So many of the latest invocations are kept in the page. */
export const tailCapacity = 5_000;

/** What ended since the page began to watch: the latest, newest first. Its ring can be held still while more comes in. */
export class TailStore {
  readonly ring: StillRing<InvocationRecord>;

  constructor(capacity = tailCapacity) {
    this.ring = new StillRing(capacity);
  }

  take(event: FleetEvent): void {
    if (event.event === "invocation") this.ring.push(event.record);
  }

  find(invocationId: string): InvocationRecord | undefined {
    return this.ring.latest().findLast((record) => record.invocationId === invocationId);
  }

  /** Newest first, at most `most`; as the ring was held still where it was. */
  list(filter: InvocationFilter, most = tailCapacity): readonly InvocationRecord[] {
    return newestOfThose(this.ring.items(), filter, most);
  }

  /** The same as they stand, held still or not. */
  latest(filter: InvocationFilter, most: number): readonly InvocationRecord[] {
    return newestOfThose(this.ring.latest(), filter, most);
  }
}

function newestOfThose(items: readonly InvocationRecord[], filter: InvocationFilter, most: number): readonly InvocationRecord[] {
  const found: InvocationRecord[] = [];
  for (let at = items.length - 1; at >= 0 && found.length < most; at -= 1) {
    const record = items[at];
    if (record !== undefined && matches(filter, record)) found.push(record);
  }
  return found;
}
