import { type AgentAddress, type Ask, type ImageFacts, LongshoreError, type RegistryCredential, type Revision, type TenantId } from "@longshore/protocol";
import { pino } from "pino";
import { describe, expect, it, onTestFinished } from "vitest";
import { MemoryStore } from "../bus/testing/memory-store.ts";
import type { AskOptions } from "../roster/ask-agent.ts";
import { TestFleet } from "../roster/testing/test-fleet.ts";
import { Deployer } from "./deploy.ts";
import { Preparer } from "./preparer.ts";
import { Registry } from "./registry.ts";

const log = pino({ level: "silent" });
const acme = "acme" as TenantId;
const digest = `sha256:${"a".repeat(64)}`;
const inRegistry: ImageFacts = {
  imageId: `sha256:${"1".repeat(64)}`,
  repositoryDigests: [`images.example.com/resize@${digest}`],
  architecture: "amd64",
  sizeBytes: 1,
  entrypoint: ["/app"],
  command: [],
  exposedPorts: [8080],
  volumes: [],
  env: [],
  labels: {},
  user: "",
  workingDirectory: "",
  faults: [],
};
const document = { name: "resize", image: "images.example.com/resize:1", secrets: { S: "secret" } };

/** A registry whose agents answer from tables. */
class Rig {
  readonly fleet = new TestFleet();
  readonly asked: (Ask & { readonly of: string })[] = [];
  /** What a pull finds; undefined: nothing. */
  inRegistry: ImageFacts | undefined = inRegistry;
  /** What agents have already. */
  readonly present = new Map<string, ImageFacts>();
  /** What the tenant is known by at the image's registry. */
  credential: RegistryCredential | undefined;
  credentialChanged: (tenantId: string, host: string) => void = () => undefined;
  /** What a pull fails by. */
  failure: LongshoreError | undefined;
  readonly registry: Registry;
  readonly preparer: Preparer;
  readonly deployer: Deployer;

  constructor(store = new MemoryStore()) {
    const asker = { ask: (agent: AgentAddress, question: Ask, options: AskOptions) => this.#ask(agent, question, options) };
    this.registry = new Registry({ store, log });
    const { roster, clock } = this.fleet;
    this.preparer = new Preparer({ registry: this.registry, roster, asker, credentials: { find: () => this.credential, onChange: (handler) => void (this.credentialChanged = handler) }, clock, log });
    this.deployer = new Deployer({ registry: this.registry, roster, asker, preparer: this.preparer, credentials: { find: () => this.credential }, clock });
  }

  async start(): Promise<this> {
    await this.registry.start();
    this.preparer.start();
    onTestFinished(() => {
      this.preparer.close();
      this.registry.close();
    });
    return this;
  }

  deploy(differences: object = {}, local = false) {
    return this.deployer.deploy({ tenantId: acme, local, document: { ...document, ...differences }, onProgress: () => undefined, signal: new AbortController().signal });
  }

  /** Whom something was asked, by name. */
  whom(ask: Ask["ask"]): string[] {
    return this.asked.filter((each) => each.ask === ask).map(({ of }) => of).sort();
  }

  /** Asks that follow from changes have gone out. */
  async settle(): Promise<void> {
    this.fleet.clock.advance(60);
    await new Promise((resolve) => setImmediate(resolve));
  }

  async #ask({ agentId }: AgentAddress, question: Ask, { onLine }: AskOptions): Promise<unknown> {
    this.asked.push({ ...question, of: agentId });
    if (question.ask !== "inspect_image") return {};
    if (question.pull && this.failure !== undefined) throw this.failure;
    const found = this.present.get(agentId) ?? (question.pull ? this.inRegistry : undefined);
    if (found === undefined) throw new LongshoreError("image_not_found", "Cannot find image");
    await onLine?.({ image: found });
    return undefined;
  }
}

async function started(agents: readonly string[]): Promise<Rig> {
  const rig = await new Rig().start();
  for (const name of agents) rig.fleet.ready(name);
  return rig;
}

describe("a deploy", () => {
  it("pins what the image is, decides how it is talked to, and says why", async () => {
    const rig = await started(["a1"]);
    const answer = await rig.deploy();
    expect(answer).toMatchObject({
      created: true,
      changed: true,
      contractBecause: "the image exposes port 8080",
      function: { revision: 1, contract: "http", port: 8080, concurrency: 80, secretNames: ["S"], resolvedImage: { digest, local: false, architecture: "amd64" } },
    });
    expect(JSON.stringify(answer)).not.toContain('"secret"');
  });

  it("of the same document changes nothing", async () => {
    const rig = await started(["a1"]);
    await rig.deploy();
    expect(await rig.deploy()).toMatchObject({ created: false, changed: false, function: { revision: 1 } });
    rig.inRegistry = { ...inRegistry, repositoryDigests: [`images.example.com/resize@sha256:${"b".repeat(64)}`] };
    expect(await rig.deploy()).toMatchObject({ created: false, changed: true, function: { revision: 2 } });
  });

  it("of an image that only an agent has runs only there", async () => {
    const rig = await started(["a1", "a2"]);
    rig.present.set("a2", { ...inRegistry, repositoryDigests: [] });
    expect(await rig.deploy()).toMatchObject({ function: { resolvedImage: { local: true, digest: inRegistry.imageId } } });
  });

  it("takes the image that an agent has where that is asked, whatever its registry has, and asks no registry", async () => {
    const rig = await started(["a1", "a2"]);
    rig.present.set("a2", inRegistry);
    expect(await rig.deploy({}, true)).toMatchObject({ function: { resolvedImage: { local: true, digest: inRegistry.imageId } } });
    expect(rig.asked.filter((ask) => ask.ask === "inspect_image" && ask.pull)).toEqual([]);
    rig.present.clear();
    await expect(rig.deploy({ name: "other" }, true)).rejects.toMatchObject({ reason: "image_not_found", message: expect.stringContaining("none of the 2 agents that may run it has it") });
  });

  it("asks a registry with the tenant's credential, and an engine without", async () => {
    const rig = await started(["a1"]);
    rig.credential = { username: "robot", password: "secret" };
    await rig.deploy();
    const sent = rig.asked.map((ask) => [ask.ask, "pull" in ask && ask.pull, "credential" in ask ? ask.credential : undefined]);
    expect(sent).toEqual([["inspect_image", false, undefined], ["inspect_image", true, rig.credential], ["prepare", false, rig.credential]]);
  });

  it("uses what an agent has of an image while its registry is away, and not when the registry refuses", async () => {
    const rig = await started(["a1"]);
    rig.present.set("a1", inRegistry);
    rig.failure = new LongshoreError("image_pull_failed", "away");
    expect(await rig.deploy()).toMatchObject({ created: true });
    rig.failure = new LongshoreError("registry_denied", "no");
    await expect(rig.deploy({ name: "other" })).rejects.toMatchObject({ reason: "registry_denied" });
  });

  it("asks agents of every architecture before others", async () => {
    const rig = await started(["a1", "a2", "a3"]);
    rig.fleet.ready("arm", { introduction: { architecture: "arm64" } });
    rig.failure = new LongshoreError("wrong_architecture", "no");
    await expect(rig.deploy()).rejects.toMatchObject({ reason: "wrong_architecture" });
    expect(rig.asked.flatMap((ask) => (ask.ask === "inspect_image" && ask.pull ? [ask.of] : [])).slice(0, 2)).toContain("arm");
  });

  it.each<[string, object, Partial<ImageFacts> | undefined, object]>([
    ["an image of another architecture", {}, { architecture: "arm64" }, { reason: "wrong_architecture", message: expect.stringMatching(/"arm64".*"amd64"/) }],
    ["a document with a slip", { memory: 1 }, {}, { reason: "bad_schema", field: "memory" }],
    ["a name that is none", { name: "a.b" }, {}, { reason: "bad_schema", field: "name" }],
    ["an image that nobody finds", {}, undefined, { reason: "image_not_found" }],
    ["a digest that is another image's", { image: `images.example.com/resize@sha256:${"c".repeat(64)}` }, {}, { reason: "bad_schema", field: "image" }],
    ["no agent that may run it", { placement: { require: { gpu: "yes" } } }, {}, { reason: "no_agent_eligible" }],
  ])("is refused: %s", async (_, differences, facts, error) => {
    const rig = await started(["a1"]);
    rig.inRegistry = facts === undefined ? undefined : { ...inRegistry, ...facts };
    await expect(rig.deploy(differences)).rejects.toMatchObject(error);
    expect(rig.registry.list()).toEqual([]);
  });
});

describe("agents are made ready for a function", () => {
  const heldBy = (rig: Rig) => rig.asked.flatMap((ask) => (ask.ask === "prepare" && ask.held > 0 ? [ask.of] : [])).sort();

  it("two of each site, once", async () => {
    const rig = await started(["a1", "a2", "a3"]);
    rig.fleet.ready("c1", { site: "cloud" });
    await rig.deploy();
    await rig.settle();
    await rig.settle();
    expect(heldBy(rig)).toHaveLength(3);
    expect(new Set(heldBy(rig)).size).toBe(3);
    expect(heldBy(rig)).toContain("c1");
  });

  it("some more have its image, and hold nothing", async () => {
    const rig = await started(Array.from({ length: 12 }, (_, at) => `a${at}`));
    await rig.deploy();
    await rig.settle();
    await rig.settle();
    expect(heldBy(rig)).toHaveLength(2);
    const finder = rig.asked.find((ask) => ask.ask === "inspect_image" && ask.pull)?.of;
    const prepared = new Set(rig.whom("prepare"));
    expect(prepared).toContain(finder);
    expect([8, 9]).toContain(prepared.size); // The finder may be one of the eight.
  });

  it("again when the credential of its registry is another one, and not for another registry's", async () => {
    const rig = await started(["a1"]);
    await rig.deploy();
    await rig.settle();
    rig.credentialChanged("acme", "elsewhere.example.com");
    rig.credentialChanged("other", "images.example.com");
    await rig.settle();
    expect(rig.whom("prepare")).toEqual(["a1"]);
    rig.credential = { username: "robot", password: "new" };
    rig.credentialChanged("acme", "images.example.com");
    await rig.settle();
    expect(rig.asked.at(-1)).toMatchObject({ ask: "prepare", credential: { password: "new" } });
  });

  it("again when its process is another one", async () => {
    const rig = await started(["a1"]);
    await rig.deploy();
    await rig.settle();
    rig.fleet.introduction("a1", { incarnation: "second" });
    rig.fleet.heartbeat("a1", { incarnation: "second", sequence: 1 });
    await rig.settle();
    expect(rig.whom("prepare")).toEqual(["a1", "a1"]);
  });

  it("and let go of it once it is no longer current", async () => {
    const rig = await started(["a1"]);
    await rig.deploy();
    await rig.settle();
    const { digest: old } = rig.registry.find(acme, "resize" as Revision["functionName"])!;
    await rig.registry.remove(acme, "resize" as Revision["functionName"]);
    await rig.settle();
    expect(rig.asked.at(-1)).toMatchObject({ ask: "retire", revisionDigest: old });
  });
});
