import { describe, expect, it } from "vitest";
import { seededRandom } from "../testing/random.ts";
import { chooseRemovals, type RemovableImage, type RemovalLimits } from "./choose-removals.ts";

const limits: RemovalLimits = { quotaBytes: 1_000, diskFreeBytes: 5_000, minFreeBytes: 100, nowMs: 1_000, unusedForMs: 500 };
const image = (imageId: string, changes: Partial<RemovableImage> = {}): RemovableImage => ({ imageId, sizeBytes: 100, lastUsedMs: 900, isCurrent: false, isInUse: false, ...changes });
const chosen = (images: RemovableImage[], changes: Partial<RemovalLimits> = {}) => chooseRemovals(images, { ...limits, ...changes }).map(({ imageId }) => imageId);

describe("chooseRemovals()", () => {
  it("removes nothing while there is room and everything was used lately", () => {
    expect(chosen([image("a"), image("b")])).toEqual([]);
    expect(chosen([])).toEqual([]);
  });

  it("removes what was not used for long, unless it is current or in use", () => {
    const old = { lastUsedMs: 500 };
    expect(chosen([image("a"), image("old", old), image("current", { ...old, isCurrent: true }), image("busy", { ...old, isInUse: true })])).toEqual(["old"]);
  });

  it("removes the least recently used over the quota, and no more than needed", () => {
    expect(chosen([image("b", { lastUsedMs: 800 }), image("c"), image("a", { lastUsedMs: 700 })], { quotaBytes: 200 })).toEqual(["a"]);
    expect(chosen([image("b", { lastUsedMs: 800 }), image("c"), image("a", { lastUsedMs: 700 })], { quotaBytes: 199 })).toEqual(["a", "b"]);
  });

  it("counts what is in use towards the quota, and never removes it", () => {
    expect(chosen([image("busy", { sizeBytes: 2_000, isInUse: true, lastUsedMs: 0 }), image("a")])).toEqual(["a"]);
  });

  it("removes for room on the disk, images of current revisions last", () => {
    const images = [image("current", { isCurrent: true, lastUsedMs: 600 }), image("a", { lastUsedMs: 899 }), image("later", { isCurrent: true })];
    expect(chosen(images, { diskFreeBytes: 50 })).toEqual(["a"]);
    expect(chosen(images, { diskFreeBytes: 0, minFreeBytes: 101 })).toEqual(["a", "current"]);
  });

  it("takes a disk that cannot be seen for one with room", () => {
    expect(chosen([image("a")], { diskFreeBytes: undefined })).toEqual([]);
  });

  it("keeps its invariants whatever there is (seeded walk)", () => {
    for (let seed = 1; seed <= 500; seed += 1) walk(seed);
  });
});

function walk(seed: number): void {
  const random = seededRandom(seed);
  const below = (max: number) => Math.floor(random() * max);
  const images = Array.from({ length: below(12) }, (_, at) => image(`i${at}`, { sizeBytes: below(400), lastUsedMs: below(1_000), isCurrent: random() < 0.4, isInUse: random() < 0.3 }));
  const now: RemovalLimits = { quotaBytes: below(3_000), diskFreeBytes: random() < 0.2 ? undefined : below(1_000), minFreeBytes: below(600), nowMs: 1_000, unusedForMs: below(1_200) };
  const removed = chooseRemovals(images, now);
  const at = `seed ${seed}`;
  const bytes = (some: RemovableImage[]) => some.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const excess = (gone: RemovableImage[]) => Math.max(bytes(images) - now.quotaBytes, now.diskFreeBytes === undefined ? 0 : now.minFreeBytes - now.diskFreeBytes) - bytes(gone);
  const isStale = ({ isCurrent, lastUsedMs }: RemovableImage) => !isCurrent && now.nowMs - lastUsedMs >= now.unusedForMs;
  const kept = images.filter((each) => !each.isInUse && !removed.includes(each));

  expect(removed.filter(({ isInUse }) => isInUse), `${at}: C1`).toEqual([]);
  expect(new Set(removed).size, at).toBe(removed.length);
  expect(kept.filter(isStale), `${at}: C4, what is old goes`).toEqual([]);
  if (excess(removed) > 0) expect(kept, `${at}: all that could go has gone`).toEqual([]);
  for (const [index, each] of removed.entries()) {
    const before = removed.slice(0, index);
    expect(excess(before) > 0 || isStale(each), `${at}: C4, nothing goes unasked`).toBe(true);
    if (each.isCurrent) expect(kept.filter(({ isCurrent }) => !isCurrent), `${at}: C2`).toEqual([]);
    expect(kept.filter((other) => other.isCurrent === each.isCurrent && other.lastUsedMs < each.lastUsedMs), `${at}: C3`).toEqual([]);
  }
}
