import { execFileSync } from "node:child_process";
import { closeSync, openSync, rmSync, statfsSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";

/**
 * Ends a mounted file system as a power cut does, by its own means (EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH of linux/ext4.h):
 * from then on nothing of it reaches its device, neither what is dirty in memory nor its open journal transaction.
 */
const goDown = 'open(my $folder, "<", $ARGV[0]) or die $!; my $withoutFlush = pack("L", 2); ioctl($folder, 0x8004587d, $withoutFlush) or die $!';
const run = (command: string, ...words: readonly string[]) => execFileSync(command, words, { stdio: ["ignore", "ignore", "inherit"] });

/** A folder on a file system of its own, in a file, whose power can be cut, and which can be full. Needs root and loop devices. */
export class LoopStore implements Disposable {
  /** Where it is mounted. */
  readonly folder: string;
  readonly #images: string;
  #cuts = 0;

  private constructor(folder: string, images: string) {
    this.folder = folder;
    this.#images = images;
  }

  /** `folder`: an empty one, to be mounted on; the file lies in `images`. */
  static create(folder: string, images: string, bytes: number): LoopStore {
    const store = new LoopStore(folder, images);
    writeFileSync(store.#image, "");
    truncateSync(store.#image, bytes);
    run("mkfs.ext4", "-q", "-F", "-m", "0", store.#image);
    store.#mount();
    return store;
  }

  /** Everything so far is on the disk. */
  sync(): void {
    run("sync", "--file-system", this.folder);
  }

  /** What was not synced is gone. Whoever had files open there must have ended. */
  cutPower(): void {
    run("perl", "-e", goDown, this.folder);
    const before = this.#image;
    this.#cuts += 1;
    // A copy: mount namespaces that others made meanwhile keep the old file system, and with it what it has in memory.
    run("cp", "--sparse=always", before, this.#image);
    run("umount", this.folder);
    rmSync(before);
    this.#mount(); // It replays the journal.
  }

  /** Leaves no room. */
  fill(): void {
    const { bavail, bsize } = statfsSync(this.folder);
    // Reserved and not written: it is as full so, and the disk beneath has not to write all of it while others wait for their syncs.
    run("fallocate", "--length", String(Math.max(bsize, bavail * bsize - 2 ** 22)), this.#filling);
    const file = openSync(this.#filling, "a");
    for (const bytes of [2 ** 20, 2 ** 12]) writeUntilFull(file, Buffer.alloc(bytes));
    closeSync(file);
  }

  /** There is room again. */
  empty(): void {
    rmSync(this.#filling, { force: true });
  }

  [Symbol.dispose](): void {
    run("umount", this.folder);
    rmSync(this.#image);
  }

  get #image(): string {
    return join(this.#images, `disk-${this.#cuts}.ext4`);
  }

  get #filling(): string {
    return join(this.folder, "filling");
  }

  #mount(): void {
    run("mount", "-o", "loop", this.#image, this.folder);
  }
}

function writeUntilFull(file: number, bytes: Uint8Array): void {
  try {
    for (;;) writeSync(file, bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  }
}
