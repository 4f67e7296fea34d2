import { type Engine, EngineError } from "../engine/engine.ts";
import type { OwnImage } from "./image-ledger.ts";

/** `gone`: nothing of it is this agent's any more; `in_use`: a container or another image is made of it; `wanted`: somebody came for it. */
export type RemovalOutcome = "gone" | "in_use" | "wanted";

/**
 * Takes this agent's names from an image, and thereby removes it, unless others gave it names of their own. Stops where `isWanted` says
 * so: what is left may be used, and what is missing is pulled again. Rejects with an EngineError when the engine could not do it.
 */
export async function removeOwnImage(engine: Pick<Engine, "listImages" | "removeImage">, image: OwnImage, isWanted: () => boolean): Promise<RemovalOutcome> {
  const present = (await engine.listImages()).find(({ imageId }) => imageId === image.imageId);
  if (present === undefined) return "gone";
  // A tag may have moved on to another image since: it is no name of this one any more.
  const ours = present.names.filter((name) => image.references.includes(name));
  const isDangling = present.names.length === 0;
  try {
    for (const name of isDangling ? [image.imageId] : ours) {
      if (isWanted()) return "wanted";
      await engine.removeImage(name);
    }
    return "gone";
  } catch (error) {
    if (error instanceof EngineError && error.failure === "conflict") return "in_use";
    throw error;
  }
}
