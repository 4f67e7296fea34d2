import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { BrokerId } from "@longshore/protocol";
import { type ToldExchange, ToldExchanges } from "./told-exchanges.ts";

const generationMs = 500;
const gone = "b1" as BrokerId;

/** An exchange that writes down what is done with it. */
function told(brokerId = "b1", heldBytes = 100) {
  const done: string[] = [];
  const exchange: ToldExchange & { answered: () => void } = {
    brokerId: brokerId as BrokerId,
    heldBytes,
    probe: (answered) => {
      done.push("probe");
      exchange.answered = answered;
    },
    forget: () => done.push("forget"),
    answered: () => undefined,
  };
  return { exchange, done };
}

describe("exchanges whose outcome their broker has heard", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("are there when their broker is gone, once, those of other brokers are not", () => {
    const kept = new ToldExchanges();
    const [first, second, other] = [told(), told(), told("b2")];
    for (const { exchange } of [first, second, other]) kept.keep(exchange);
    expect(kept.take(gone)).toEqual([first.exchange, second.exchange]);
    expect(kept.take(gone)).toEqual([]);
  });

  it("are forgotten once a broker was there a generation after, by one question for all of them", () => {
    const kept = new ToldExchanges();
    const [first, second] = [told(), told()];
    kept.keep(first.exchange);
    kept.keep(second.exchange);
    vi.advanceTimersByTime(generationMs);
    expect([first.done, second.done]).toEqual([[], ["probe"]]);
    second.exchange.answered();
    expect([first.done, second.done]).toEqual([[], ["probe"]]);
    vi.advanceTimersByTime(generationMs);
    second.exchange.answered();
    expect([first.done, second.done]).toEqual([["forget"], ["probe", "probe", "forget"]]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("are kept for a generation at least, where others came before them", () => {
    const kept = new ToldExchanges();
    const [early, late] = [told(), told()];
    kept.keep(early.exchange);
    vi.advanceTimersByTime(generationMs - 1);
    kept.keep(late.exchange);
    vi.advanceTimersByTime(1);
    late.exchange.answered();
    expect([kept.take(gone), late.done]).toEqual([[early.exchange, late.exchange], ["probe"]]);
  });

  it("are kept for as long as nobody can say whether their broker is there", () => {
    const kept = new ToldExchanges();
    const { exchange, done } = told();
    kept.keep(exchange);
    vi.advanceTimersByTime(100 * generationMs);
    expect(kept.take(gone)).toEqual([exchange]);
    exchange.answered();
    expect(done).toEqual(["probe"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("go, the oldest first, where they take too much memory", () => {
    const kept = new ToldExchanges();
    const large = Array.from({ length: 40 }, () => told("b1", 1024 * 1024));
    for (const { exchange } of large) kept.keep(exchange);
    const forgotten = large.map(({ done }) => done.includes("forget"));
    expect(forgotten.indexOf(false)).toBeGreaterThanOrEqual(40 - 17);
    expect(forgotten.lastIndexOf(true)).toBeLessThan(forgotten.indexOf(false));
  });
});
