import { expect, it } from "vitest";
import { recordOf } from "../testing/views.ts";
import { TailStore } from "./tail-store.ts";

const ended = (invocationId: string, functionName = "hello") => ({ event: "invocation", record: recordOf({ invocationId, functionName }) }) as const;
const ids = (store: TailStore, filter = {}) => store.list(filter).map(({ invocationId }) => invocationId);

it("has the latest, newest first, and no more than it may", () => {
  const store = new TailStore(3);
  for (const id of ["1", "2", "3", "4", "5"]) store.take(ended(id, id === "4" ? "other" : "hello"));
  store.take({ event: "caught_up" });
  expect([ids(store), ids(store, { functionName: "other" }), store.seen, store.find("4")?.functionName, store.find("1")]).toEqual([["5", "4", "3"], ["4"], 5, "other", undefined]);
  expect(store.list({}, 1)).toHaveLength(1);
});

it("stands still while more comes in, and says how much", () => {
  const store = new TailStore(3);
  store.take(ended("1"));
  store.hold();
  for (const id of ["2", "3", "4", "5"]) store.take(ended(id));
  expect([ids(store), store.behind, store.isStill]).toEqual([["1"], 4, true]);
  store.release();
  expect([ids(store), store.behind]).toEqual([["5", "4", "3"], 0]);
});
