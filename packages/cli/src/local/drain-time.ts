import { parseDuration } from "@longshore/protocol";

/** How long `--drain` leaves to what runs, 30 s where it is not given. */
export function readDrainMs(text: string | undefined): number {
  return text === undefined ? 30_000 : parseDuration(text, "--drain");
}
