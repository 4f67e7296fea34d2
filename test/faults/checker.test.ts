import { describe, expect, it } from "vitest";
import { checkHistory } from "./checker.ts";
import { historyEventSchema } from "./history.ts";
import { imagineHistory } from "./imagined/history.ts";
import { invariants } from "./verdict.ts";

const seeds = Array.from({ length: 12 }, (_, index) => index + 1);

describe("checkHistory()", () => {
  it.each(seeds)("finds nothing in a history in which every promise is kept: seed %i", (seed) => {
    const { violations } = checkHistory(imagineHistory(seed));
    expect(violations.map(({ invariant, invocationId, sentence }) => `${invariant} ${invocationId ?? ""}: ${sentence}`)).toEqual([]);
  });

  it("checks every invariant in them", () => {
    const { verdicts, unproved } = checkHistory(imagineHistory(1));
    expect(verdicts.map(({ invariant }) => invariant)).toEqual(Object.keys(invariants));
    expect(unproved).toEqual([]);
  });

  it("takes nothing for proved in an empty history", () => {
    expect(checkHistory([]).unproved).toEqual(Object.keys(invariants));
  });
});

describe("imagineHistory()", () => {
  it("is the same for the same seed, and made of events as they are written", () => {
    const [one, again] = [imagineHistory(4, 2), imagineHistory(4, 2)];
    expect(JSON.stringify(one)).toBe(JSON.stringify(again));
    expect(JSON.stringify(one.map((event) => historyEventSchema.parse(event)).slice(0, 500))).toHaveLength(JSON.stringify(one.slice(0, 500)).length);
  });
});
