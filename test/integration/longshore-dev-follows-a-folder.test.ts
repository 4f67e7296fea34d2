import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startFleet, type TestFleet } from "../support/fleet.ts";
import { ensureImage } from "../support/images/ensure-image.ts";
import { startCommand } from "../support/processes.ts";

let test: TestFleet;
let folder: string;
const name = "dev-folder";
beforeAll(async () => {
  test = await startFleet({ sites: ["plant"] });
  folder = mkdtempSync(join(tmpdir(), "longshore-dev-"));
}, 180_000);
afterAll(async () => {
  await test.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Told {
  readonly event: string;
  readonly tookMs?: number;
  readonly revisionId?: string;
  readonly servesStill?: string;
  readonly line?: string;
  readonly record?: { readonly functionName: string };
}

it("longshore dev builds and deploys at every save, keeps the last revision when a build fails, and removes what it made with --rm", async () => {
  const base = await ensureImage("busybox", { config: { entrypoint: ["/bin/sh", "-c"] } });
  const dockerfile = (more = "") => `FROM ${base}\nCOPY say.sh /say.sh\n${more}ENTRYPOINT ["/bin/sh", "/say.sh"]\n`;
  const say = (word: string) => writeFileSync(join(folder, "say.sh"), `echo "log ${word}" >&2; echo ${word}\n`);
  writeFileSync(join(folder, "Dockerfile"), dockerfile());
  writeFileSync(join(folder, ".dockerignore"), "*.md\n");
  writeFileSync(join(folder, "longshore.yaml"), `name: ${name}\ncontract: stdio\nmemory: 32MiB\n`);
  say("one");

  const dev = startCommand(["dev", folder, "--rm", "--json", "--url", test.url]);
  const all: Told[] = [];
  /** What was told before counts: a line of log and the end of its invocation come in either order. */
  const until = async (event: string, fits: (told: Told) => boolean = () => true): Promise<Told> => {
    for (;;) {
      const found = all.find((told) => told.event === event && fits(told));
      if (found !== undefined) return found;
      all.push(JSON.parse(await dev.lines.next()) as Told);
    }
  };
  const answer = async () => (await (await test.fleet.call(name)).text()).trim();

  const first = await until("live");
  expect(await answer()).toBe("one");
  await until("log", ({ line }) => line === "log one");
  await until("invocation", ({ record }) => record?.functionName === name);

  say("two");
  const second = await until("live", ({ revisionId }) => revisionId !== first.revisionId);
  expect(await answer()).toBe("two");
  expect(second.tookMs).toBeGreaterThan(0);

  writeFileSync(join(folder, "Dockerfile"), dockerfile(`RUN : ${name} && exit 7\n`));
  expect((await until("failed")).servesStill).toBe(second.revisionId);
  expect(execFileSync("docker", ["container", "ls", "--all", "--no-trunc", "--format", "{{.Command}}"], { encoding: "utf8" })).not.toContain(`: ${name}`); // Of the step that failed.
  expect(await answer()).toBe("two");

  writeFileSync(join(folder, "notes.md"), "no save\n");
  writeFileSync(join(folder, "say.sh~"), "no save\n");
  say("three");
  writeFileSync(join(folder, "Dockerfile"), dockerfile());
  await until("live", ({ revisionId }) => revisionId !== first.revisionId && revisionId !== second.revisionId);
  expect(await answer()).toBe("three");

  expect(await dev.process.interrupt()).toBe(0);
  await expect(test.fleet.get(name)).rejects.toMatchObject({ reason: "function_not_found" });
  expect(execFileSync("docker", ["image", "ls", "-q", `longshore.local/${name}`], { encoding: "utf8" })).toBe("");
}, 180_000);
