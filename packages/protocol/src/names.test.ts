import { describe, expect, it } from "vitest";
import { createInvocationId } from "./invocation-id.ts";
import { agentIdSchema, functionNameSchema, invocationIdSchema, parseName, revisionIdOf, siteIdSchema } from "./names.ts";
import { agentInbound, heartbeatSubject, parseAgentSubject, replySubject, runSubject } from "./subjects.ts";

const bad = ["", ".", "*", ">", "a.b", "a b", "A", "-a", "é", "a\0", "a".repeat(64), "а" /* Cyrillic */, "__proto__", 5, null, undefined];

describe("names", () => {
  it.each(bad)("refuses %j as a site, naming the field", (value) => {
    expect(() => parseName(siteIdSchema, value, "site")).toThrow(expect.objectContaining({ reason: "bad_name", field: "site" }));
  });

  it("takes what the grammar allows, and leaves room behind function names", () => {
    expect(parseName(agentIdSchema, "0-a", "agent")).toBe("0-a");
    expect(functionNameSchema.safeParse("a".repeat(50)).success).toBe(true);
    expect(functionNameSchema.safeParse("a".repeat(51)).success).toBe(false);
    expect(revisionIdOf(functionNameSchema.parse("resize"), 3)).toBe("resize-r3");
  });
});

describe("createInvocationId()", () => {
  it("makes a UUIDv7 that begins with the time", () => {
    const id = createInvocationId(0x0123456789ab, new Uint8Array(10).fill(0xff));
    expect(id).toBe("01234567-89ab-7fff-bfff-ffffffffffff");
    expect(invocationIdSchema.safeParse(id).success).toBe(true);
  });

  it("makes a different one each time", () => {
    expect(new Set(Array.from({ length: 1000 }, () => createInvocationId(1))).size).toBe(1000);
  });
});

describe("subjects", () => {
  const agent = { siteId: siteIdSchema.parse("plant"), agentId: agentIdSchema.parse("a1") };
  const [broker, token] = ["b1", "t9"] as [never, never];

  it("are inside what an agent may subscribe to and publish", () => {
    expect(runSubject(agent, broker, token)).toBe("longshore.v1.agent.plant.a1.run.b1.t9");
    expect(agentInbound(agent)).toBe("longshore.v1.agent.plant.a1.>");
    expect(replySubject(agent, broker, token)).toBe("longshore.v1.site.plant.a1.reply.b1.t9");
  });

  it("are taken apart again", () => {
    expect(parseAgentSubject(runSubject(agent, broker, token))).toEqual({ ...agent, verb: "run", brokerId: "b1", token: "t9" });
    expect(parseAgentSubject(heartbeatSubject(agent))).toMatchObject({ ...agent, verb: "heartbeat" });
    expect(parseAgentSubject("_INBOX.x")).toBeUndefined();
    expect(parseAgentSubject("longshore.v1.agent.plant.a1")).toBeUndefined();
  });
});
