import type { Revision } from "@longshore/protocol";
import { pino } from "pino";
import type { Contract, RunningInstance } from "../../contracts/contract.ts";
import { createFakeEngine, type FakeEngine, type FakeImage } from "../../engine/testing/fake-engine.ts";
import { createLogStore } from "../../logs/log-store.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { testRevision } from "../../testing/revision.ts";
import { watchFates } from "../fates.ts";
import { createImageShelf } from "../images.ts";
import { createLauncher } from "../launcher.ts";

/** An image that exists in the fake engine only, and a revision of it. */
export function localRevision(document: Parameters<typeof testRevision>[0] = {}): Revision {
  const revision = testRevision({ image: "resize:dev", secrets: { PASSWORD: "hush" }, env: { MODE: "test" }, stopGraceMs: 5_000, startTimeoutMs: 10_000, ...document });
  return { ...revision, image: { ...revision.image, local: true, digest: "resize:dev" } };
}

/** A launcher on a fake engine; readiness and time are the test's. */
export function createLauncherScene({ image = {}, hold = "/opt/hold", engine = createFakeEngine({ agentId: "a1", images: { "resize:dev": image } }) }: { image?: FakeImage; hold?: string; engine?: FakeEngine } = {}) {
  const clock = new ManualClock();
  const log = pino({ level: "silent" });
  const readiness: { instance: RunningInstance; signal: AbortSignal; ready: () => void; fail: (error: unknown) => void }[] = [];
  const released: RunningInstance[] = [];
  const fates = watchFates(engine, log);
  const logs = createLogStore({ siteId: "plant", agentId: "a1", clock });
  const contract = {
    plan: ({ spec }: Revision) => ({ mode: spec.contract === "stdio" ? ("run" as const) : ("become" as const), env: ["PORT=8080"], port: 8080, forwardsRequests: true }),
    ready: (instance: RunningInstance, signal: AbortSignal) =>
      new Promise<void>((ready, fail) => {
        readiness.push({ instance, signal, ready, fail });
        signal.addEventListener("abort", () => fail(new Error("not ready in time")));
      }),
    release: (instance: RunningInstance) => void released.push(instance),
  } as Partial<Contract> as Contract;
  const images = createImageShelf(engine);
  const launcher = createLauncher({
    agentId: "a1",
    siteId: "plant",
    engine,
    images,
    credentialOf: () => undefined,
    fates,
    contractOf: () => contract,
    holdFor: (architecture) => (architecture === "amd64" && hold !== "" ? hold : undefined),
    logs,
    clock,
    log,
    randomBytes: (length) => new Uint8Array(length).fill(7),
  });
  return {
    clock,
    engine,
    launcher,
    images,
    fates,
    readiness,
    released,
    prepare: (revision: Revision) => launcher.prepare({ instanceId: "i-1", revision }),
    async logLines(): Promise<string[]> {
      const lines: string[] = [];
      for await (const line of logs.read({ tenantId: "default", tail: 100, follow: false }, new AbortController().signal)) if ("line" in line) lines.push(`${line.stream} ${line.line}`);
      return lines;
    },
  };
}
