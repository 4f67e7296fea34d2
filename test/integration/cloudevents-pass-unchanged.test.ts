import { CloudEvent, type CloudEventV1, HTTP, type Message } from "cloudevents";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { functionsFramework } from "../support/components.ts";
import { startFleet, type TestFleet } from "../support/fleet.ts";

const modes = ["binary", "structured"] as const;

/** Caller and function are the CloudEvents SDK; the function answers with the event that it got, from `/function`. */
describe("a CloudEvent", () => {
  let test: TestFleet;
  beforeAll(async () => {
    test = await startFleet({ sites: ["plant"] });
    await test.fleet.deploy(await functionsFramework("events", "answerEvent", "http"));
  });
  afterAll(() => test.close());

  /** Sends a message and reads the event that comes back in that mode. */
  async function send({ headers, body }: Message, mode: (typeof modes)[number]) {
    const response = await fetch(`${test.url}/f/events/?mode=${mode}`, { method: "POST", headers: headers as Record<string, string>, ...(body !== undefined && { body: body as string }) });
    expect(response.status).toBe(200);
    const answer = Object.fromEntries(response.headers);
    const text = await response.text();
    return { headers: answer, event: HTTP.toEvent({ headers: answer, body: text === "" ? undefined : text }) as CloudEventV1<unknown> };
  }

  const event = new CloudEvent({ type: "plant.reading", source: "/plant", subject: "a b 100% é", traceid: "x-1", data: { level: "hö" } });
  const attributes = { id: event.id, type: "plant.reading", source: "/function", subject: "a b 100% é", traceid: "x-1", data: { level: "hö" } };

  it.each(modes.flatMap((from) => modes.map((to) => [from, to] as const)))("goes in %s and comes back %s", async (from, to) => {
    const answer = await send(HTTP[from](event), to);
    expect(answer.event).toMatchObject(attributes);
    expect(answer.headers["content-type"]).toMatch(to === "structured" ? /^application\/cloudevents\+json/ : /^application\/json/);
    expect(answer.headers["ce-subject"]).toBe(to === "structured" ? undefined : "a b 100% é");
  });

  it("without data goes with an empty body", async () => {
    const bare = new CloudEvent({ type: "plant.reading", source: "/plant" });
    const { event: answer } = await send(HTTP.binary(bare), "binary");
    expect([answer.id, answer.data]).toEqual([bare.id, undefined]);
  });

  it("in both modes at once is what the content type says", async () => {
    const other = HTTP.binary(new CloudEvent({ type: "other", source: "/other" }));
    const structured = HTTP.structured(event);
    expect((await send({ headers: { ...other.headers, ...structured.headers }, body: structured.body }, "structured")).event).toMatchObject(attributes);
  });

  it("keeps what is percent-encoded, percent-encoded", async () => {
    const message = HTTP.binary(event);
    const answer = await send({ ...message, headers: { ...message.headers, "ce-subject": "a%20b%20100%25%20%C3%A9" } }, "binary");
    expect(answer.headers["ce-subject"]).toBe("a%20b%20100%25%20%C3%A9");
  });

  it("goes through invoke() as what it is", async () => {
    const { headers, body } = HTTP.structured(event);
    const answer = await test.fleet.invoke("events", body as string, { path: "/?mode=structured", headers: [["content-type", String(headers["content-type"])]] });
    expect(answer).toMatchObject(attributes);
    const binary = HTTP.binary(event);
    const list = Object.entries(binary.headers).map(([name, value]): [string, string] => [name, String(value)]);
    expect(await test.fleet.invoke("events", binary.body as string, { path: "/?mode=structured", headers: list })).toMatchObject(attributes);
  });
});
