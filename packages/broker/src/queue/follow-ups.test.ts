import { describe, expect, it } from "vitest";
import { derivedId } from "./derived-id.ts";
import { mostHops } from "./follow-ups.ts";
import { acme, QueueScene, settled } from "./testing/queue-scene.ts";

const url = "https://hooks.example/orders";

async function sceneWith(destinations: object) {
  const scene = new QueueScene();
  scene.deploy({ document: { retry: "never", destinations } });
  scene.agent("a1", 1_000);
  await scene.queue.start();
  const end = async (outcome: "succeeded" | "failed", body = "answer") => {
    const id = await scene.accept();
    await scene.begins(id);
    await scene.ends(id, { outcome }, { body });
    return { id, followUp: derivedId("destination", acme, id) };
  };
  return { scene, end };
}

describe("what follows the end of an accepted invocation", () => {
  it("is a webhook that tells of it, by outcome, and its delivery has a record", async () => {
    const { scene, end } = await sceneWith({ onSuccess: { url }, onFailure: { url: `${url}/failed` } });
    const done = await end("succeeded");
    await scene.advance(1);
    expect(scene.deliveries).toMatchObject([{ url, id: done.followUp, invocationId: done.id, attempt: 1, secrets: ["whsec_tenant"] }]);
    expect(JSON.parse(Buffer.from(scene.deliveries[0]?.body ?? []).toString())).toMatchObject({ type: "invocation.succeeded", data: { record: { invocationId: done.id }, body: { text: "answer" } } });
    expect(await scene.queue.find(acme, done.followUp)).toMatchObject({ state: "finished", record: { result: { outcome: "succeeded", status: 200 } } });
    const failed = await end("failed");
    await scene.advance(1);
    expect(scene.deliveries[1]).toMatchObject({ url: `${url}/failed`, id: failed.followUp });
  });

  it("is delivered again where its receiver was not there, later and later, and given up after a day", async () => {
    const { scene, end } = await sceneWith({ onSuccess: { url } });
    scene.receiver = () => ({ outcome: "retry", message: "It answered 503" });
    const { followUp } = await end("succeeded");
    await scene.advance(4_000, 1_000);
    expect(scene.deliveries).toHaveLength(1);
    await scene.advance(3_000, 1_000);
    expect(scene.deliveries.map(({ id, attempt }) => [id, attempt])).toEqual([[followUp, 1], [followUp, 2]]);
    await scene.advance(27 * 3_600_000, 600_000);
    expect(scene.deliveries.length).toBeGreaterThan(10);
    expect(await scene.queue.find(acme, followUp)).toMatchObject({ record: { result: { outcome: "failed", message: "It answered 503" } } });
  });

  it("is not sent twice for a receiver that refuses it", async () => {
    const { scene, end } = await sceneWith({ onSuccess: { url } });
    scene.receiver = () => ({ outcome: "refused", message: "It answered 410", status: 410 });
    const { followUp } = await end("succeeded");
    await scene.advance(3_600_000, 60_000);
    expect(scene.deliveries).toHaveLength(1);
    expect(await scene.queue.find(acme, followUp)).toMatchObject({ record: { result: { outcome: "failed", status: 410 } } });
  });

  it("is delivered by another broker where the first one died meanwhile", async () => {
    const { scene, end } = await sceneWith({ onSuccess: { url } });
    scene.receiver = () => new Promise(() => undefined);
    const { followUp } = await end("succeeded");
    await scene.queue.close();
    const other = new QueueScene("b-2", scene.store);
    await other.queue.start();
    await other.advance(70_000, 5_000);
    expect(other.deliveries).toMatchObject([{ id: followUp, attempt: 2 }]);
  });

  it("delays no other tenant where a receiver never answers", async () => {
    const { scene, end } = await sceneWith({ onSuccess: { url } });
    scene.receiver = () => new Promise(() => undefined);
    for (let count = 0; count < 12; count += 1) await end("succeeded");
    await settled();
    expect(scene.deliveries).toHaveLength(8);
  });

  it("is an invocation of another function, whose chain ends", async () => {
    const { scene, end } = await sceneWith({ onSuccess: { function: "resize" } });
    let { followUp } = await end("succeeded");
    for (let hop = 1; hop < mostHops; hop += 1) {
      await scene.advance(60);
      await scene.begins(followUp);
      await scene.ends(followUp, { outcome: "succeeded" });
      followUp = derivedId("destination", acme, followUp);
    }
    await scene.advance(60);
    await scene.begins(followUp);
    await scene.ends(followUp, { outcome: "succeeded" });
    await scene.advance(60);
    expect(await scene.queue.find(acme, derivedId("destination", acme, followUp))).toBeUndefined();
    expect(scene.bus.exchanges).toHaveLength(mostHops + 1);
  });
});
