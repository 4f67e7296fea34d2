import { describe, expect, it } from "vitest";
import type { Fleet } from "../fleet.ts";
import { runLine } from "../testing/run-line.ts";

const view = { accessKeyId: "LSAKABCDEFGHIJKLMNOP", createdAt: "2026-11-25T12:00:00.000Z" };

function recording(views = [view]): { fleet: Partial<Fleet>; removed: string[] } {
  const removed: string[] = [];
  return { removed, fleet: { awsKeys: { list: async () => views, create: async () => ({ ...view, secretAccessKey: "hush" }), remove: async (id) => void removed.push(id) } } };
}

describe("longshore aws-key", () => {
  it("makes a pair, as lines that a shell takes", async () => {
    const { stdout, exitCode } = await runLine(["aws-key", "create", "--url", "https://b:1"], { fleet: recording().fleet });
    expect({ stdout, exitCode }).toEqual({
      stdout: "export AWS_ACCESS_KEY_ID=LSAKABCDEFGHIJKLMNOP\nexport AWS_SECRET_ACCESS_KEY=hush\nexport AWS_REGION=us-east-1\nexport AWS_DEFAULT_REGION=us-east-1\nexport AWS_ENDPOINT_URL_LAMBDA=https://b:1\n",
      exitCode: 0,
    });
    expect(JSON.parse((await runLine(["aws-key", "create", "--json"], { fleet: recording().fleet })).stdout)).toEqual({ ...view, secretAccessKey: "hush", endpointUrl: "http://127.0.0.1:4270" });
  });

  it("makes one word to the shell of whatever a broker says", async () => {
    const awsKeys = { create: async () => ({ ...view, secretAccessKey: "$(reboot)'; reboot #" }) } as unknown as Fleet["awsKeys"];
    const { stdout } = await runLine(["aws-key", "create"], { fleet: { awsKeys } });
    expect(stdout).toContain(`export AWS_SECRET_ACCESS_KEY='$(reboot)'\\''; reboot #'\n`);
  });

  it("lists pairs without their secrets", async () => {
    expect((await runLine(["aws-key", "ls"], { fleet: recording().fleet })).stdout).toMatch(/^ACCESS KEY +MADE\nLSAKABCDEFGHIJKLMNOP +/);
    expect(JSON.parse((await runLine(["aws-key", "ls", "--json"], { fleet: recording().fleet })).stdout)).toEqual({ awsKeys: [view] });
    expect((await runLine(["aws-key", "ls"], { fleet: recording([]).fleet })).stderr).toContain("longshore aws-key create");
  });

  it("deletes one", async () => {
    const { fleet, removed } = recording();
    expect((await runLine(["aws-key", "rm", view.accessKeyId], { fleet })).stdout).toBe(`Deleted ${view.accessKeyId}\n`);
    expect(removed).toEqual([view.accessKeyId]);
  });
});
