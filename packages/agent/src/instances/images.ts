import { formatImageReference, type ImageFacts, LongshoreError, parseImageReference, type RegistryCredential, type Revision } from "@longshore/protocol";
import type { Engine } from "../engine/engine.ts";
import { pullFailure } from "./pull-failure.ts";

/** The images of revisions: brought when needed, and what is known of them. */
export interface ImageShelf {
  /** Makes sure that the engine has the revision's image, by its digest. Rejects with what {@link pullFailure} tells. */
  ensure(revision: Revision, credential?: RegistryCredential): Promise<ImageFacts>;
  /** The image was there when it was last asked for. */
  isPresent(revisionDigest: string): boolean;
  /** Digests of the revisions whose image was there. */
  readonly presentRevisions: Iterable<string>;
  /** What is known of it may be wrong, or is of no interest any more. */
  forget(revisionDigest: string): void;
}

/** Makes a shelf that knows of no image yet. */
export function createImageShelf(engine: Pick<Engine, "inspectImage" | "pullImage">): ImageShelf {
  const known = new Map<string, ImageFacts>();
  return {
    async ensure(revision, credential) {
      const facts = known.get(revision.digest) ?? (await bring(engine, revision, credential));
      known.set(revision.digest, facts);
      return facts;
    },
    isPresent: (revisionDigest) => known.has(revisionDigest),
    get presentRevisions() {
      return known.keys();
    },
    forget: (revisionDigest) => known.delete(revisionDigest),
  };
}

async function bring(engine: Pick<Engine, "inspectImage" | "pullImage">, revision: Revision, credential: RegistryCredential | undefined): Promise<ImageFacts> {
  const { image, functionName } = revision;
  const action = `Cannot start instance of "${functionName}"`;
  try {
    const reference = engineReference(revision);
    const present = await engine.inspectImage(reference);
    if (present !== undefined) return present;
    if (image.local) throw new LongshoreError("image_not_found", `${action}: image "${image.reference}" exists in another engine only`, { phase: "startup" });
    return await engine.pullImage(reference, { credential });
  } catch (error) {
    throw pullFailure(error, action, "startup");
  }
}

/** How the engine names the revision's image: by digest, whatever a tag points to by now; by id where no registry has it. */
function engineReference({ image }: Revision): string {
  return image.local ? image.digest : formatImageReference({ ...parseImageReference(image.reference), digest: image.digest });
}
