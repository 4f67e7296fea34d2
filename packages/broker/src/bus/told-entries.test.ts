import type { InvocationId, TenantId } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { ToldEntries } from "./told-entries.ts";

const entry = (id: string, sequence: number) => ({ tenantId: "t" as TenantId, invocationId: id as InvocationId, sequence });

describe("entries that were told", () => {
  it("are in no doubt while they stand as they were told", () => {
    const told = new ToldEntries();
    told.add(entry("a", 3));
    told.add(entry("b", 7));
    expect(told.isDoubtful(entry("a", 3))).toBe(false);
    expect(told.isDoubtful(entry("b", 7))).toBe(false);
  });

  it("are doubtful once they ended, were replaced, or were never told though others were that came later", () => {
    const told = new ToldEntries();
    told.add(entry("a", 3));
    told.add(entry("b", 4));
    told.ended(entry("a", 3));
    told.add(entry("b", 7));
    expect(told.isDoubtful(entry("a", 3))).toBe(true);
    expect(told.isDoubtful(entry("b", 4))).toBe(true);
    expect(told.isDoubtful(entry("c", 5))).toBe(true);
  });

  it("say nothing against one that came after them all", () => {
    const told = new ToldEntries();
    told.add(entry("a", 3));
    expect(told.isDoubtful(entry("c", 4))).toBe(false);
    told.ended(entry("a", 3));
    expect(told.isDoubtful(entry("c", 4))).toBe(false);
    expect(told.isDoubtful(entry("c", 2))).toBe(true); // What ended counts as seen.
  });

  it("know of a later one of the same invocation", () => {
    const told = new ToldEntries();
    told.add(entry("a", 3));
    expect([told.hasLater(entry("a", 2)), told.hasLater(entry("a", 3)), told.hasLater(entry("b", 1))]).toEqual([true, false, false]);
  });
});
