import { docker } from "./docker-run.ts";

/** The container of the revision whose program has begun: the one that serves, not the one held beside it. */
export async function runningInstance(revisionId: string): Promise<string> {
  for (const id of (await docker("ps", "-q", "--filter", `label=longshore.revision=${revisionId}`)).split("\n")) {
    if (!(await docker("top", id)).includes("/.longshore/hold")) return id;
  }
  throw new Error(`Cannot find the instance of ${revisionId}`);
}
