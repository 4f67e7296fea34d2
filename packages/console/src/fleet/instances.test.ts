import { expect, it } from "vitest";
import { agentView } from "../testing/views.ts";
import { instancesOf, placesOf } from "./instances.ts";

const mebibyte = 2 ** 20;
const host = (capacity: object, instances: readonly number[]) => {
  const view = agentView("p1", "plant");
  return { capacity: { ...view.capacity, memoryBytes: 1024 * mebibyte, memoryFreeBytes: 1024 * mebibyte, instancesMax: 200, instancesFree: 200, idle: 0, held: 0, ...capacity }, functions: instances.map((count, at) => ({ revisionId: `f${at}-r1`, running: 0, instances: count, held: 0, freeSlots: 0 })) };
};

it("are busy that are neither idle nor held, though an agent counts these as free", () => {
  expect(instancesOf(host({ instancesFree: 199, memoryFreeBytes: 896 * mebibyte, idle: 1, held: 2 }, [3, 1]))).toEqual({ busy: 1, idle: 1, held: 2, room: 8 });
});

it("have room as far as memory goes, so that a host whose memory is promised looks full", () => {
  expect(instancesOf(host({ instancesFree: 196, memoryFreeBytes: 0 }, [4]))).toMatchObject({ busy: 4, room: 4 });
  expect(instancesOf(host({}, []))).toEqual({ busy: 0, idle: 0, held: 0, room: 4 });
});

it("never have more room than a host may have instances, and never less than there are", () => {
  expect(instancesOf(host({ instancesMax: 2, instancesFree: 2 }, []))).toMatchObject({ room: 2 });
  expect(instancesOf(host({ idle: 9 }, [9]))).toMatchObject({ idle: 9, room: 9 });
});

it("are told of a function by host, of all its revisions, where most run first", () => {
  const of = (revisionId: string, running: number, instances: number, held = 0) => ({ revisionId, running, instances, held, freeSlots: 0 });
  const agents = [agentView("c1", "cloud", { functions: [of("resize-r1", 0, 1), of("resize-2-r1", 9, 9)] }), agentView("p1", "plant", { functions: [of("resize-r1", 1, 1), of("resize-r2", 2, 3, 1)] }), agentView("p2", "plant", { functions: [of("resize-r2", 0, 0)] })];
  expect(placesOf(agents, "resize")).toEqual([{ agentId: "p1", siteId: "plant", running: 3, instances: 4, held: 1 }, { agentId: "c1", siteId: "cloud", running: 0, instances: 1, held: 0 }]);
});
