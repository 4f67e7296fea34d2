import { parseDuration } from "@longshore/protocol";

/** How long `--drain` leaves to what runs, in milliseconds; undefined where it is not given. */
export function readDrainMs(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseDuration(text, "--drain");
}
