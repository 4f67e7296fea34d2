import { expect, it } from "vitest";
import { recordOf } from "../testing/views.ts";
import { TailStore } from "./tail-store.ts";

const ended = (invocationId: string, functionName = "hello") => ({ event: "invocation", record: recordOf({ invocationId, functionName }) }) as const;
const ids = (store: TailStore, filter = {}) => store.list(filter).map(({ invocationId }) => invocationId);

it("has the latest, newest first, and no more than it may", () => {
  const store = new TailStore(3);
  for (const id of ["1", "2", "3", "4", "5"]) store.take(ended(id, id === "4" ? "other" : "hello"));
  store.take({ event: "caught_up" });
  expect([ids(store), ids(store, { functionName: "other" }), store.ring.count, store.find("4")?.functionName, store.find("1")]).toEqual([["5", "4", "3"], ["4"], 5, "other", undefined]);
  expect(store.list({}, 1)).toHaveLength(1);
});

it("lists what stands still, finds all, and has the latest for who did not ask it to stand", () => {
  const store = new TailStore(3);
  store.take(ended("1"));
  store.ring.hold();
  store.take(ended("2"));
  expect([ids(store), store.find("2")?.invocationId, store.latest({}, 5).map(({ invocationId }) => invocationId)]).toEqual([["1"], "2", ["2", "1"]]);
});
