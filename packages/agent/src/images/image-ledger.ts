import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ImageFacts } from "@longshore/protocol";
import { z } from "zod";
import type { Clock } from "../clock.ts";
import type { Logger } from "../log.ts";
import { fullReference, namesOf, shareName } from "./image-names.ts";

const ownImageSchema = z.object({
  imageId: z.string(),
  /** The tags and digest references that this agent gave it by pulling: what others call it is theirs. */
  references: z.array(z.string()),
  sizeBytes: z.number(),
  /** Milliseconds since the Unix epoch. */
  lastUsedMs: z.number(),
});
/** An image that this agent brought. */
export type OwnImage = Readonly<z.infer<typeof ownImageSchema>>;

const ledgerSchema = z.object({ savedAtMs: z.number(), images: z.array(ownImageSchema).readonly() });

/** Saved at least that often, so that last uses, and when an agent was there last, are known well enough. */
const saveEveryMs = 3_600_000;

/**
 * Which of the engine's images are this agent's, and when each was last used; in a file, `images.json`. An image that is not in it is
 * somebody else's: what is forgotten is kept.
 */
export class ImageLedger {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #images = new Map<string, OwnImage>();
  #savedAtMs: number;
  #isChanged = false;

  /** Reads what an earlier process left; time when no agent was there does not count as time without use. */
  constructor(folder: string, clock: Clock, log: Logger) {
    this.#path = join(folder, "images.json");
    this.#clock = clock;
    this.#log = log;
    const nowMs = clock.wallMs();
    const saved = this.#read() ?? { savedAtMs: nowMs, images: [] };
    const awayMs = Math.max(0, nowMs - saved.savedAtMs);
    for (const image of saved.images) this.#images.set(image.imageId, { ...image, lastUsedMs: image.lastUsedMs + awayMs });
    this.#savedAtMs = nowMs;
  }

  get images(): readonly OwnImage[] {
    return [...this.#images.values()];
  }

  /** What they take together; a layer counts for every image that it is part of. */
  get totalBytes(): number {
    return this.images.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  has(imageId: string): boolean {
    return this.#images.has(imageId);
  }

  /** This agent pulled an image by a reference, which may have been `theirs` already; the digest references that a pull adds are its own. */
  brought(reference: string, { imageId, sizeBytes, repositoryDigests }: ImageFacts, theirs = false): void {
    const full = fullReference(reference);
    const digests = repositoryDigests.map(fullReference).filter((name) => repositoryOf(name) === repositoryOf(full));
    const references = [...new Set([...(this.#images.get(imageId)?.references ?? []), ...(theirs ? [] : [full]), ...digests])];
    this.#images.set(imageId, { imageId, references, sizeBytes, lastUsedMs: this.#clock.wallMs() });
    this.#isChanged = true;
    this.save();
  }

  /** Whichever image bears one of these names is in use; written with the next change, or within an hour. */
  used(names: Iterable<string>): void {
    const wanted = new Set(names);
    for (const image of this.#images.values()) {
      if (!shareName(namesOfImage(image), wanted)) continue;
      this.#images.set(image.imageId, { ...image, lastUsedMs: this.#clock.wallMs() });
    }
  }

  /** It is gone, or not this agent's any more. */
  forget(imageId: string): void {
    this.#isChanged = this.#images.delete(imageId) || this.#isChanged;
  }

  /** Writes what changed, or what is old; at the end, everything. On a disk that is full the file stays as it was: what it names too much is not there, and is forgotten again. */
  save(isEnd = false): void {
    const nowMs = this.#clock.wallMs();
    if (!isEnd && !this.#isChanged && nowMs - this.#savedAtMs < saveEveryMs) return;
    const text = JSON.stringify({ savedAtMs: nowMs, images: this.images } satisfies z.infer<typeof ledgerSchema>);
    try {
      writeFileSync(`${this.#path}.new`, text, { mode: 0o600 });
      renameSync(`${this.#path}.new`, this.#path);
      this.#isChanged = false;
      this.#savedAtMs = nowMs;
    } catch (err) {
      this.#log.warn({ err }, "image ledger not written");
    }
  }

  #read(): z.infer<typeof ledgerSchema> | undefined {
    try {
      return ledgerSchema.parse(JSON.parse(readFileSync(this.#path, "utf8")));
    } catch (err) {
      if ((err as NodeJS.ErrnoException).code !== "ENOENT") this.#log.warn({ err }, "image ledger not read: no image is taken for this agent's");
      return undefined;
    }
  }
}

/** Every name that an image of this agent may be meant by. */
export function namesOfImage({ imageId, references }: Pick<OwnImage, "imageId" | "references">): string[] {
  return [imageId, ...references.flatMap(namesOf)];
}

/** `docker.io/library/nginx` of a full reference. */
function repositoryOf(reference: string): string {
  return reference.replace(/@.*$|:[^/:]*$/, "");
}
