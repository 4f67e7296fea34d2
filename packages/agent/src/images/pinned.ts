import type { Revision } from "@longshore/protocol";
import type { ImageShelf } from "../instances/images.ts";
import type { Launcher } from "../instances/prepared.ts";
import type { ImageLedger } from "./image-ledger.ts";
import { namesOfRevision } from "./image-names.ts";
import type { ImagePins } from "./image-pins.ts";

/** Runs something for which a revision's image has to stay. */
export type WithImage = <Answer>(revision: Revision, run: () => Promise<Answer>) => Promise<Answer>;

/**
 * Pins the image of a revision while something runs, and notes that it was used. An image that a revision has from this engine alone cannot be
 * pulled again: wherever it came from, it is this agent's to remove no more.
 */
export function createWithImage(pins: ImagePins, ledger: ImageLedger): WithImage {
  return async (revision, run) => {
    const names = namesOfRevision(revision);
    const unpin = await pins.pin(names);
    if (revision.image.local) ledger.forget(revision.image.digest);
    try {
      return await run();
    } finally {
      ledger.used(names);
      unpin();
    }
  };
}

/** A shelf that knows which images its revisions run from. */
export interface PinnedShelf extends ImageShelf {
  readonly imageIds: Iterable<string>;
  /** An image is gone: no revision of it is taken for present any more. */
  forgetImage(imageId: string): void;
}

/** A shelf whose images are not removed between being looked for and being found. */
export function pinnedShelf(shelf: ImageShelf, withImage: WithImage): PinnedShelf {
  const imageIds = new Map<string, string>();
  const forget = (revisionDigest: string) => {
    imageIds.delete(revisionDigest);
    shelf.forget(revisionDigest);
  };
  return {
    ensure: (revision, credential) =>
      withImage(revision, async () => {
        const facts = await shelf.ensure(revision, credential);
        imageIds.set(revision.digest, facts.imageId);
        return facts;
      }),
    isPresent: (revisionDigest) => shelf.isPresent(revisionDigest),
    get presentRevisions() {
      return shelf.presentRevisions;
    },
    forget,
    get imageIds() {
      return imageIds.values();
    },
    forgetImage(gone) {
      for (const [revisionDigest, imageId] of [...imageIds]) if (imageId === gone) forget(revisionDigest);
    },
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
