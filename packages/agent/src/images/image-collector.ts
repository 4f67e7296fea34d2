import type { Heartbeat, Revision } from "@longshore/protocol";
import type { Clock } from "../clock.ts";
import type { DiskSpace, Engine } from "../engine/engine.ts";
import type { Logger } from "../log.ts";
import { chooseRemovals } from "./choose-removals.ts";
import { isShortOfDisk, reliefBytes } from "./disk-pressure.ts";
import { type ImageLedger, namesOfImage, type OwnImage } from "./image-ledger.ts";
import { namesOfRevision, shareName } from "./image-names.ts";
import type { ImagePins } from "./image-pins.ts";
import { removeOwnImage } from "./remove-image.ts";

/** What images are for, on this agent. */
export interface ImageUses {
  /** Revisions that have an instance, whatever its phase. */
  readonly inUse: () => Iterable<Revision>;
  /** Ids of the images of revisions that brokers last spoke of as current. */
  readonly current: () => Iterable<string>;
  /** An image is gone, or a name of it is. */
  readonly removed: (imageId: string) => void;
}

/** The settings that say how much images may take. */
export interface ImageLimits {
  readonly imageQuotaBytes: number;
  readonly imageUnusedMs: number;
  readonly diskMinFreeBytes: number;
}

export interface ImageCollectorOptions {
  readonly engine: Pick<Engine, "listImages" | "removeImage" | "diskSpace">;
  readonly ledger: ImageLedger;
  readonly pins: ImagePins;
  readonly uses: ImageUses;
  readonly limits: ImageLimits;
  readonly clock: Clock;
  readonly log: Logger;
  /** The host became short of disk, or is so no more. */
  readonly onChange: () => void;
}

/** How often free space is read: a pull fills a disk in little more. */
const checkEveryMs = 5_000;
/** How often quota, age and what the engine really has are looked at. */
const collectEveryMs = 60_000;

/**
 * Keeps images within their limits: removes what is not used, and says when the disk is short though all that could go is gone.
 *
 * Invariants: G1 one collection at a time. G2 an image is looked at again (in use, pinned) in the same turn in which its removal begins. G3 only
 * images of the ledger are touched.
 */
export class ImageCollector {
  readonly #options: ImageCollectorOptions;
  /** The engine refused to remove them: a container that is not ours uses them. Tried again at the next regular collection. */
  readonly #refused = new Set<string>();
  #space: DiskSpace | undefined;
  #isShort = false;
  #collectAtMs: number;
  #collecting: Promise<void> | undefined;
  #cancel: (() => void) | undefined;
  #isClosed = false;

  constructor(options: ImageCollectorOptions) {
    this.#options = options;
    this.#collectAtMs = options.clock.monotonicMs() + collectEveryMs;
  }

  /** What a heartbeat tells of the disk; undefined where it cannot be seen. */
  get disk(): Heartbeat["disk"] {
    return this.#space && { ...this.#space, imagesBytes: this.#options.ledger.totalBytes, pressure: this.#isShort };
  }

  /** Reads the disk, and goes on doing so until {@link close}. */
  async start(): Promise<void> {
    await this.#read();
    this.#later();
  }

  /** Resolves once nothing is being removed any more; idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel?.();
    await this.#collecting;
    this.#options.ledger.save(true);
  }

  /** Images were brought: the quota is looked at soon. */
  soon(): void {
    this.#collectAtMs = this.#options.clock.monotonicMs();
  }

  /** Looks whether there is room for a pull, and removes what can go when there is not. False: the host is short of disk all the same. */
  async makeRoom(): Promise<boolean> {
    await this.#read();
    if (this.#isShort || this.#wouldBeShort) await this.#collect();
    return !this.#isShort;
  }

  get #wouldBeShort(): boolean {
    return isShortOfDisk(this.#space, this.#options.limits.diskMinFreeBytes, this.#isShort);
  }

  #later(): void {
    if (this.#isClosed) return;
    this.#cancel = this.#options.clock.after(checkEveryMs, () => void this.#check().then(() => this.#later()));
  }

  async #check(): Promise<void> {
    await this.#read();
    if (this.#isShort || this.#wouldBeShort || this.#options.clock.monotonicMs() >= this.#collectAtMs) await this.#collect();
  }

  #collect(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return (this.#collecting ??= this.#collectOnce().finally(() => {
      this.#collecting = undefined; // G1
    }));
  }

  async #collectOnce(): Promise<void> {
    const { ledger, log, clock } = this.#options;
    try {
      if (clock.monotonicMs() >= this.#collectAtMs) await this.#compare();
      // Images share layers: what goes gives less than its size, and then more has to go.
      while ((await this.#removeSome()) && this.#wouldBeShort);
    } catch (err) {
      log.warn({ err }, "images not collected");
    }
    ledger.save();
    this.#settle();
  }

  /** Forgets what others removed, and what was held against an image. */
  async #compare(): Promise<void> {
    const { engine, ledger, uses, clock } = this.#options;
    this.#collectAtMs = clock.monotonicMs() + collectEveryMs;
    this.#refused.clear();
    for (const revision of uses.inUse()) ledger.used(namesOfRevision(revision));
    if (ledger.images.length === 0) return;
    const present = new Set((await engine.listImages()).map(({ imageId }) => imageId));
    for (const image of ledger.images) if (!present.has(image.imageId)) this.#gone(image);
  }

  /** Removes what has to go by what is known now; false when nothing went. */
  async #removeSome(): Promise<boolean> {
    let hasRemoved = false;
    for (const { image } of this.#choose()) {
      if (this.#isClosed) return false;
      if (await this.#remove(image)) hasRemoved = true;
    }
    if (hasRemoved) await this.#read();
    return hasRemoved;
  }

  #choose() {
    const { limits, ledger, clock, uses } = this.#options;
    const inUse = nameSet(uses.inUse());
    const current = new Set(uses.current());
    const images = ledger.images.map((image) => ({ ...image, image, isCurrent: current.has(image.imageId), isInUse: this.#isInUse(image, inUse) }));
    return chooseRemovals(images, {
      quotaBytes: limits.imageQuotaBytes,
      diskFreeBytes: this.#space?.freeBytes,
      minFreeBytes: this.#wouldBeShort ? reliefBytes(limits.diskMinFreeBytes) : 0,
      nowMs: clock.wallMs(),
      unusedForMs: limits.imageUnusedMs,
    });
  }

  #isInUse(image: OwnImage, inUse = nameSet(this.#options.uses.inUse())): boolean {
    const names = namesOfImage(image);
    return shareName(names, inUse) || this.#options.pins.isPinned(names) || this.#refused.has(image.imageId);
  }

  async #remove(image: OwnImage): Promise<boolean> {
    const { engine, pins, uses, log } = this.#options;
    if (this.#isInUse(image)) return false; // G2
    const outcome = await pins.remove(namesOfImage(image), async (isWanted) => {
      const removed = await removeOwnImage(engine, image, isWanted); // G3
      // Before those who wait for it look: also where only a name is gone.
      if (removed === "gone") this.#gone(image);
      else uses.removed(image.imageId);
      return removed;
    });
    if (outcome === "in_use") this.#refused.add(image.imageId);
    if (outcome !== "gone") return false;
    log.info({ imageId: image.imageId, references: image.references, sizeBytes: image.sizeBytes }, "image removed");
    return true;
  }

  #gone(image: OwnImage): void {
    this.#options.uses.removed(image.imageId);
    this.#options.ledger.forget(image.imageId);
  }

  async #read(): Promise<void> {
    try {
      this.#space = await this.#options.engine.diskSpace();
    } catch {
      this.#space = undefined; // The engine is away: that is told elsewhere.
    }
  }

  #settle(): void {
    const isShort = this.#wouldBeShort;
    if (isShort === this.#isShort) return;
    this.#isShort = isShort;
    const { log, onChange } = this.#options;
    log[isShort ? "warn" : "info"]({ ...this.disk }, isShort ? "disk short: no image is pulled" : "disk has room again");
    onChange();
  }
}

function nameSet(revisions: Iterable<Revision>): ReadonlySet<string> {
  return new Set([...revisions].flatMap(namesOfRevision));
}
