import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EngineEvent } from "../../packages/agent/src/engine/engine.ts";
import { type AgentEngine, createAgentEngine, docker } from "../support/agent-engine.ts";
import { type EngineLink, openEngineLink } from "../support/engine-link.ts";

const unreachable = expect.objectContaining({ name: "EngineError", failure: "unreachable", status: 0 });

describe("an engine that goes away", () => {
  let link: EngineLink;
  let agent: AgentEngine;

  beforeAll(async () => {
    link = await openEngineLink();
    agent = await createAgentEngine({ host: `unix://${link.socketPath}` });
  });
  afterAll(async () => {
    await agent.close();
    await link.close();
  });

  it("fails calls as unreachable, and is watched again with a gap once it is back", async () => {
    const events: EngineEvent[] = [];
    const gap = Promise.withResolvers<void>();
    const removed = Promise.withResolvers<void>();
    const watch = agent.engine.watch((event) => {
      events.push(event);
      if (event.kind === "gap") gap.resolve();
      if (event.kind === "removed") removed.resolve();
    });
    await link.cut();
    await expect(agent.engine.describe()).rejects.toEqual(unreachable);
    await expect(agent.engine.createContainer(agent.shell("true"))).rejects.toEqual(unreachable);
    await expect(agent.engine.listOwned()).rejects.toEqual(unreachable);
    await link.restore();
    await gap.promise;
    const id = await agent.engine.createContainer(agent.shell("true"));
    await agent.engine.removeContainer(id);
    await removed.promise;
    expect(events).toEqual([{ kind: "gap" }, { kind: "removed", id }]);
    watch.close();
  });

  it("tells who waits for an exit what happened meanwhile", async () => {
    const { id, output } = await agent.start(agent.shell("sleep 600"));
    const exit = agent.engine.waitExit(id);
    await link.cut();
    await output.ended;
    await docker.getContainer(id).kill();
    await link.restore();
    expect(await exit).toMatchObject({ running: false, exitCode: 137 });
  });

  it("that hangs is unreachable, not waited for", async () => {
    link.freeze();
    await expect(agent.engine.describe()).rejects.toEqual(unreachable);
    link.thaw();
    expect(await agent.engine.describe()).toMatchObject({ name: "docker" });
  });
});
