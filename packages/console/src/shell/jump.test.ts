import { expect, it } from "vitest";
import { findTargets, type Target } from "./jump.ts";

const target = (name: string): Target => ({ kind: "function", name, to: ["functions", name] });
const names = (text: string, all: readonly string[]) => findTargets(text, all.map(target)).map(({ name }) => name);

it("finds places by their names, those that begin so first, and not too many", () => {
  expect(names(" RES ", ["a-resize", "resize", "other"])).toEqual(["resize", "a-resize"]);
  expect(names("", ["b", "a"])).toEqual(["b", "a"]);
  expect(names("f", Array.from({ length: 10_000 }, (_, at) => `f${at}`))).toHaveLength(12);
});

it("takes an invocation's id for a place", () => {
  const id = "0197a7c6-5f3e-7b12-9c58-0d8a4be3f001";
  expect(findTargets(id.toUpperCase(), [])).toEqual([{ kind: "invocation", name: id, to: ["invocations", id] }]);
});
