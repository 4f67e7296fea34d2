import { Badge } from "../shell/text.tsx";
import type { HostState } from "./fleet-store.ts";

const tones = { ready: "good", cordoned: "warn", draining: "warn", unhealthy: "bad", lost: "bad", refused: "bad" } as const;

/** What each state means, for people. */
export const stateMeanings: Readonly<Record<HostState, string>> = {
  ready: "takes work",
  cordoned: "takes no new work; what runs goes on",
  draining: "finishes what runs and takes nothing new",
  unhealthy: "says itself that it cannot work",
  lost: "was not heard for 15 s",
  refused: "its credential was taken back, or another process uses it",
};

/** A host's state as a word with its colour. */
export function HostStateBadge({ state }: { readonly state: HostState }) {
  return <Badge tone={tones[state]} title={stateMeanings[state]}>{state}</Badge>;
}
