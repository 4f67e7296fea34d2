import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebhookEvent, webhookEventSchema } from "@longshore/protocol";
import { afterEach, expect, it } from "vitest";
import { startFleet } from "../support/fleet.ts";
import { shellFunction } from "../support/functions.ts";
import { startCommand } from "../support/processes.ts";

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

interface Delivery {
  readonly id: string;
  readonly attempt: number;
  readonly event: WebhookEvent;
}

/** Takes webhooks as Standard Webhooks says, written from its text alone; the first deliveries it refuses. Throws, and answers 400, for a signature that is none. */
async function startReceiver(refusals: number) {
  const taken: Delivery[] = [];
  const tries: number[] = [];
  const state = { secret: "" };
  let whenTaken: () => void = () => undefined;
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part)).on("end", () => {
      const body = Buffer.concat(parts);
      const of = (name: string) => String(request.headers[name]);
      const expected = createHmac("sha256", Buffer.from(state.secret.slice("whsec_".length), "base64")).update(`${of("webhook-id")}.${of("webhook-timestamp")}.${body.toString()}`).digest();
      const isSigned = of("webhook-signature").split(" ").some((each) => {
        const [version, signature = ""] = each.split(",");
        const given = Buffer.from(signature, "base64");
        return version === "v1" && given.length === expected.length && timingSafeEqual(given, expected);
      });
      if (!isSigned || Math.abs(Date.now() / 1_000 - Number(of("webhook-timestamp"))) > 300) return void response.writeHead(400).end();
      const attempt = Number(of("longshore-delivery-attempt"));
      tries.push(attempt);
      if (attempt <= refusals) return void response.writeHead(attempt === 1 ? 503 : 500).end();
      taken.push({ id: of("webhook-id"), attempt, event: webhookEventSchema.parse(JSON.parse(body.toString())) });
      response.writeHead(204).end();
      whenTaken();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUps.push(() => new Promise((resolve) => server.close(resolve)));
  const until = async (count: number) => {
    while (taken.length < count) await new Promise<void>((resolve) => (whenTaken = resolve));
  };
  return { state, taken, tries, until, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` };
}

it("a webhook that is refused twice and a function hear of successes, and of failures after three attempts, whose letters are submitted again", { timeout: 300_000 }, async () => {
  const receiver = await startReceiver(2);
  await using test = await startFleet({ sites: ["plant"], brokers: 2, broker: { webhookAllow: ["127.0.0.1"] } });
  const { fleet } = test;
  receiver.state.secret = (await fleet.webhookSecret.get()).secret;
  // A function that does what its input says, and one that keeps in its answer what it is told.
  const work = (name: string, destinations: object) => shellFunction(name, 'read code; echo "ran $code"; exit $code', { network: "none", destinations });
  await fleet.deploy(await shellFunction("told", "cat", { network: "none" }));
  await fleet.deploy(await work("hooked", { onSuccess: { url: receiver.url }, onFailure: { url: receiver.url } }));
  await fleet.deploy(await work("chained", { onSuccess: { function: "told" }, onFailure: { function: "told" } }));

  const good = await Promise.all(["hooked", "chained"].map((name) => fleet.enqueue(name, "0\n")));
  const bad = await Promise.all(["hooked", "chained"].map((name) => fleet.enqueue(name, "7\n")));
  for (const handle of good) expect(await handle.ended()).toMatchObject({ attempt: 1, result: { outcome: "succeeded" } });
  for (const handle of bad) {
    const { attempt, past, result } = await handle.ended();
    expect([attempt, past?.map((each) => each.result.exitCode), result]).toMatchObject([3, [7, 7], { outcome: "failed", exitCode: 7 }]);
  }

  // The function was told once of each, with answer and record.
  const toldOf = new Map<string, WebhookEvent>();
  while (toldOf.size < 2) {
    for await (const view of fleet.invocations.each({ function: "told", state: "finished" })) {
      if (view.state !== "finished") continue;
      const event = webhookEventSchema.parse(JSON.parse(await fleet.invocation(view.record.invocationId).text()));
      toldOf.set(event.data.record.invocationId, event);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(good.concat(bad).map(({ invocationId }) => toldOf.get(invocationId)?.type)).toEqual([undefined, "invocation.succeeded", undefined, "invocation.failed"]);
  expect(toldOf.get(good[1]?.invocationId ?? "")?.data.body).toEqual({ text: "ran 0\n" });

  // So was the receiver, at the third delivery.
  await receiver.until(2);
  expect(receiver.taken.map(({ attempt, event }) => [attempt, event.type, event.data.record.invocationId])).toEqual([[3, "invocation.succeeded", good[0]?.invocationId], [3, "invocation.failed", bad[0]?.invocationId]]);
  expect(receiver.tries.toSorted()).toEqual([1, 1, 2, 2, 3, 3]);
  expect(new Set(receiver.taken.map(({ id }) => id)).size).toBe(2);

  // What failed left letters, and only that; the command line submits one again, as a new invocation that knows where it is from.
  const run = async (...words: string[]) => {
    const { lines, process } = startCommand([...words, "--json", "--url", test.urls[1] ?? ""]);
    const document = JSON.parse(await lines.next()) as Record<string, unknown>;
    await process.ended;
    return document;
  };
  const { deadLetters } = (await run("dead-letter", "ls")) as { deadLetters: { record: { invocationId: string } }[] };
  expect(deadLetters.map(({ record }) => record.invocationId).toSorted()).toEqual(bad.map(({ invocationId }) => invocationId).toSorted());
  const letter = bad[1]?.invocationId ?? "";
  await fleet.deploy(await shellFunction("chained", "cat", { network: "none" })); // It is mended.
  const redriven = await run("dead-letter", "redrive", letter);
  const { invocationId } = redriven as { invocationId: string };
  expect(await fleet.invocation(invocationId).ended()).toMatchObject({ redriveOf: letter, result: { outcome: "succeeded" } });
  expect(await fleet.invocation(invocationId).text()).toBe("7\n");
  await expect(fleet.deadLetters.get(letter)).rejects.toMatchObject({ reason: "dead_letter_not_found" });
});
