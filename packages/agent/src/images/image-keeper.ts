import type { Heartbeat } from "@longshore/protocol";
import type { Clock } from "../clock.ts";
import type { Engine } from "../engine/engine.ts";
import { createImageShelf, type ImageShelf } from "../instances/images.ts";
import type { Launcher } from "../instances/prepared.ts";
import type { Logger } from "../log.ts";
import { ImageCollector, type ImageLimits, type ImageUses } from "./image-collector.ts";
import { ImageLedger } from "./image-ledger.ts";
import { ImagePins } from "./image-pins.ts";
import { createImageSource, type ImageSource } from "./image-source.ts";
import { createWithImage, pinnedLauncher, pinnedShelf } from "./pinned.ts";

export interface ImageKeeperOptions {
  readonly engine: Pick<Engine, "inspectImage" | "pullImage" | "listImages" | "removeImage" | "diskSpace">;
  /** Where `images.json` is. */
  readonly dataFolder: string;
  readonly limits: ImageLimits;
  /** Revisions that have an instance, whatever its phase. */
  readonly inUse: ImageUses["inUse"];
  readonly clock: Clock;
  readonly log: Logger;
  /** The host became short of disk, or is so no more. */
  readonly onChange: () => void;
}

/** The images of an agent: brought when they are needed, let go when they are not, within the limits of its host's disk. */
export interface ImageKeeper {
  readonly source: ImageSource;
  readonly shelf: ImageShelf;
  /** The launcher, with the image of whatever it starts kept from removal meanwhile. */
  pinning(launcher: Launcher): Launcher;
  /** What a heartbeat tells of the disk; undefined where it cannot be seen. */
  readonly disk: Heartbeat["disk"];
  /** Begins to read the disk and to remove images. */
  start(): Promise<void>;
  /** Resolves once nothing is being removed any more; idempotent. */
  close(): Promise<void>;
}

/** Puts the parts together; reads the ledger, nothing else is done before `start`. */
export function createImageKeeper({ engine, dataFolder, limits, inUse, clock, log, onChange }: ImageKeeperOptions): ImageKeeper {
  const ledger = new ImageLedger(dataFolder, clock, log);
  const pins = new ImagePins();
  const uses: ImageUses = { inUse, current: () => shelf.imageIds, removed: (imageId) => shelf.forgetImage(imageId) };
  const collector = new ImageCollector({ engine, ledger, pins, uses, limits, clock, log, onChange });
  const source = createImageSource({ engine, ledger, pins, collector });
  const withImage = createWithImage(pins, ledger);
  const shelf = pinnedShelf(createImageShelf(source), withImage);
  return {
    source,
    shelf,
    pinning: (launcher) => pinnedLauncher(launcher, withImage),
    get disk() {
      return collector.disk;
    },
    start: () => collector.start(),
    close: () => collector.close(),
  };
}
