import type { Revision } from "@longshore/protocol";
import type { ImageShelf } from "../instances/images.ts";
import type { Launcher } from "../instances/prepared.ts";
import type { ImageLedger } from "./image-ledger.ts";
import { namesOfRevision } from "./image-names.ts";
import type { ImagePins } from "./image-pins.ts";

/** Runs something for which a revision's image has to stay. */
export type WithImage = <Answer>(revision: Revision, run: () => Promise<Answer>) => Promise<Answer>;

/** Pins the image of a revision while something runs, and notes that it was used. */
export function createWithImage(pins: ImagePins, ledger: ImageLedger): WithImage {
  return async (revision, run) => {
    const names = namesOfRevision(revision);
    const unpin = await pins.pin(names);
    try {
      return await run();
    } finally {
      ledger.used(names);
      unpin();
    }
  };
}

/** A shelf whose images are not removed between being looked for and being found. */
export function pinnedShelf(shelf: ImageShelf, withImage: WithImage): ImageShelf {
  return {
    ensure: (revision, credential) => withImage(revision, () => shelf.ensure(revision, credential)),
    isPresent: (revisionDigest) => shelf.isPresent(revisionDigest),
    get presentRevisions() {
      return shelf.presentRevisions;
    },
    forget: (revisionDigest) => shelf.forget(revisionDigest),
  };
}

/** A launcher whose images are not removed from before they are looked for until the container is there, which keeps them from then on. */
export function pinnedLauncher(launcher: Launcher, withImage: WithImage): Launcher {
  return {
    canHold: (architecture) => launcher.canHold(architecture),
    prepare: (instance) => withImage(instance.revision, () => launcher.prepare(instance)),
    adopt: (candidate, revision) => withImage(revision, () => launcher.adopt(candidate, revision)),
  };
}
