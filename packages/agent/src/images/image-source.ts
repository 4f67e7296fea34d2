import { LongshoreError } from "@longshore/protocol";
import type { Engine } from "../engine/engine.ts";
import type { ImageCollector } from "./image-collector.ts";
import type { ImageLedger } from "./image-ledger.ts";
import { fullReference, namesOf } from "./image-names.ts";
import type { ImagePins } from "./image-pins.ts";

/** Where an agent's images come from. */
export type ImageSource = Pick<Engine, "inspectImage" | "pullImage">;

export interface ImageSourceParts {
  readonly engine: Pick<Engine, "inspectImage" | "pullImage" | "listImages">;
  readonly ledger: ImageLedger;
  readonly pins: ImagePins;
  readonly collector: Pick<ImageCollector, "makeRoom" | "soon">;
}

/** A pull that was refused may work in a while: somebody may have made room. */
const retryAfterMs = 30_000;

/** The engine, with what it pulls written down as this agent's. A pull rejects with `disk_full` while the host is short of disk. */
export function createImageSource({ engine, ledger, pins, collector }: ImageSourceParts): ImageSource {
  return {
    inspectImage: (reference) => engine.inspectImage(reference),
    async pullImage(reference, options) {
      const unpin = await pins.pin(namesOf(reference));
      try {
        if (!(await collector.makeRoom())) throw new LongshoreError("disk_full", `Cannot pull "${reference}": the host's disk is full, and no image can go`, { phase: "startup", retryAfterMs });
        // What the host had before stays its own: an image under whatever name, and a tag that the pull moves to an image of ours.
        const theirs = (await engine.listImages()).filter(({ imageId }) => !ledger.has(imageId));
        const facts = await engine.pullImage(reference, options);
        const hasTheirName = theirs.some(({ names }) => names.includes(fullReference(reference)));
        if (ledger.has(facts.imageId) || !theirs.some(({ imageId }) => imageId === facts.imageId)) ledger.brought(reference, facts, hasTheirName);
        collector.soon();
        return facts;
      } finally {
        unpin();
      }
    },
  };
}
