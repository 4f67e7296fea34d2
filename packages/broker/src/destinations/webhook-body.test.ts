import { type InvocationRecord, outcomes, webhookEventSchema } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { maxWebhookBodyBytes, webhookBody } from "./webhook-body.ts";

const record: InvocationRecord = {
  invocationId: "0197a7c6-5f3e-7b12-9c58-0d8a4be3f001", functionName: "resize", attempt: 1, result: { outcome: "succeeded" }, acceptedAt: "2026-11-28T12:00:00.000Z", finishedAt: "2026-11-28T12:00:01.000Z",
  timings: {}, payloadBytes: 3, resultBytes: 5, resultKept: true,
};
const read = (bytes: Uint8Array) => webhookEventSchema.parse(JSON.parse(Buffer.from(bytes).toString()));

describe("webhookBody()", () => {
  it.each(outcomes)("tells of %s by its type", (outcome) => {
    expect(read(webhookBody({ ...record, result: { outcome } }, undefined))).toEqual({ type: `invocation.${outcome}`, timestamp: record.finishedAt, data: { record: { ...record, result: { outcome } } } });
  });

  it.each([["tide: høy"], ["\uFEFFmark\0"], [""]])("has text as text: %j", (text) => {
    expect(read(webhookBody(record, Buffer.from(text))).data.body).toEqual({ text });
  });

  it("has other bytes in base64", () => {
    expect(read(webhookBody(record, Uint8Array.of(0xff, 0, 1))).data.body).toEqual({ base64: "/wAB" });
  });

  it("leaves out what is long or not kept", () => {
    expect(read(webhookBody(record, new Uint8Array(maxWebhookBodyBytes))).data.body).toBeDefined();
    expect(read(webhookBody(record, new Uint8Array(maxWebhookBodyBytes + 1))).data.body).toBeUndefined();
    expect(read(webhookBody({ ...record, resultKept: false }, Buffer.from("x"))).data.body).toBeUndefined();
  });

  it("has of an answer's headers those of its content only: cookies and tokens stay", () => {
    const resultHeaders: [string, string][] = [["Content-Type", "text/plain"], ["Set-Cookie", "session=hush"], ["Authorization", "hush"], ["X-Api-Key", "hush"], ["content-language", "nb"]];
    expect(read(webhookBody({ ...record, resultHeaders }, undefined)).data.record.resultHeaders).toEqual([["Content-Type", "text/plain"], ["content-language", "nb"]]);
  });
});
