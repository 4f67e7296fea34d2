import type { ReadonlySignal } from "@preact/signals";

/** Has a component drawn again whenever one of these counts on; for what it reads that is no signal itself. */
export function useDraws(...draws: readonly ReadonlySignal<unknown>[]): void {
  for (const each of draws) each.value; // eslint-disable-line @typescript-eslint/no-unused-expressions -- reading is subscribing
}
