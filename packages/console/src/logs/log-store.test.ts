import type { LogLine } from "@longshore/sdk";
import { expect, it } from "vitest";
import { fileOf, lineCharactersKept, LogStore } from "./log-store.ts";

const line = (text: string, changes: Partial<LogLine> = {}): LogLine => ({ at: "2026-11-28T20:00:00.000Z", siteId: "plant", agentId: "p1", instanceId: "i", functionName: "f", revisionId: "f-r1", stream: "stdout", line: text, ...changes });
const texts = (store: LogStore, filter = {}) => store.list({ text: "", ...filter }).map((each) => each.line.line);

it("keeps the latest lines, in order, and finds among them", () => {
  const store = new LogStore(3);
  for (const each of [line("gone"), line("one ERROR"), line("two", { stream: "stderr", agentId: "c1", siteId: "cloud" }), line("three error")]) store.take(each);
  expect([texts(store), store.ring.count]).toEqual([["one ERROR", "two", "three error"], 4]);
  expect(texts(store, { text: "Error" })).toEqual(["one ERROR", "three error"]);
  expect([texts(store, { stream: "stderr" }), texts(store, { site: "cloud" }), texts(store, { agentId: "p1", text: "three" })]).toEqual([["two"], ["two"], ["three error"]]);
  expect(store.hosts()).toEqual(["c1", "p1"]);
});

it("lists what stands still, and knows the hosts of what came since", () => {
  const store = new LogStore(3);
  store.take(line("one"));
  store.ring.hold();
  store.take(line("two", { agentId: "c1" }));
  expect([texts(store), store.hosts()]).toEqual([["one"], ["c1", "p1"]]);
  store.ring.release();
  expect(texts(store)).toEqual(["one", "two"]);
});

it("keeps of a line of megabytes no more than it says", () => {
  const store = new LogStore(3);
  store.take(line("x".repeat(5 * 2 ** 20)));
  expect(texts(store)[0]?.length).toBeLessThan(lineCharactersKept + 100);
  expect(texts(store)[0]).toMatch(/ … 4980736 characters more, not kept here/);
});

it("is a file of JSON lines", () => {
  const store = new LogStore();
  store.take(line('quo"te\u001b'));
  expect(JSON.parse(fileOf(store.list({ text: "" })))).toEqual(line('quo"te\u001b'));
});
