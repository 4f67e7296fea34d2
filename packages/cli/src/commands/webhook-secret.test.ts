import { describe, expect, it } from "vitest";
import type { Fleet } from "../fleet.ts";
import { runLine } from "../testing/run-line.ts";

const [old, fresh] = [{ secret: "whsec_old", createdAt: "2026-11-25T12:00:00.000Z" }, { secret: "whsec_new", createdAt: "2026-11-26T12:00:00.000Z", previousUntil: "2026-11-27T12:00:00.000Z" }];
const fleet: Partial<Fleet> = { webhookSecret: { get: async () => old, rotate: async () => fresh } };

describe("longshore webhook secret", () => {
  it("shows the secret and nothing else on stdout", async () => {
    expect(await runLine(["webhook", "secret"], { fleet })).toMatchObject({ stdout: "whsec_old\n", stderr: "", exitCode: 0 });
    expect(JSON.parse((await runLine(["webhook", "secret", "--json"], { fleet })).stdout)).toEqual(old);
  });

  it("makes a fresh one where it is told to, and says how long the old one counts", async () => {
    const { stdout, stderr } = await runLine(["webhook", "secret", "--rotate"], { fleet });
    expect(stdout).toBe("whsec_new\n");
    expect(stderr).toContain("2026-11-27T12:00:00.000Z");
    expect(JSON.parse((await runLine(["webhook", "secret", "--rotate", "--json"], { fleet })).stdout)).toEqual(fresh);
  });
});
