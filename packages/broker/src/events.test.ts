import type { FleetEvent, TenantId } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { EventHub } from "./events.ts";

const [acme, other] = ["acme" as TenantId, "other" as TenantId];
const gone = (agentId: string): FleetEvent => ({ event: "agent_gone", agentId });

describe("the hub of events", () => {
  it("tells each tenant its own, until it stops watching", () => {
    const hub = new EventHub(() => []);
    const told: unknown[] = [];
    const stop = hub.subscribe(acme, (event) => told.push(["acme", event]));
    hub.subscribe(other, (event) => told.push(["other", event]));
    hub.tell(acme, gone("a1"));
    hub.tellEach((tenantId) => gone(`for-${tenantId}`));
    stop();
    stop();
    hub.tell(acme, gone("a2"));
    expect(told).toEqual([["acme", gone("a1")], ["acme", gone("for-acme")], ["other", gone("for-other")]]);
    expect([hub.isWatched(acme), hub.isWatched(other), hub.hasWatchers]).toEqual([false, true, true]);
  });

  it("forgets a tenant only when the last of its watchers stops", () => {
    const hub = new EventHub(() => []);
    const told: unknown[] = [];
    const stop = hub.subscribe(acme, () => undefined);
    stop();
    const stopAgain = hub.subscribe(acme, (event) => told.push(event));
    stop();
    hub.tell(acme, gone("a1"));
    expect(told).toHaveLength(1);
    stopAgain();
    expect(hub.hasWatchers).toBe(false);
  });

  it("makes nothing for tenants that do not watch", () => {
    const hub = new EventHub((tenantId) => [gone(tenantId)]);
    hub.tellEach(() => {
      throw new Error("nobody watches");
    });
    expect(hub.snapshot(acme)).toEqual([gone("acme")]);
  });
});
