import type { ImageFacts } from "@longshore/protocol";
import { createHash } from "node:crypto";
import { type ContainerAddress, type ContainerId, type ContainerSpec, type ContainerState, type DiskSpace, type Engine, type EngineDescription, EngineError, type EngineEvent, type PresentImage } from "../engine.ts";
import { labelKeys } from "../labels.ts";
import { createFakeContainer, type FakeContainer, type FakeProgram } from "./fake-container.ts";

export type { FakeContainer, FakeProcess, FakeProgram } from "./fake-container.ts";

/** An image of the fake engine; what is left out is empty. */
export interface FakeImage {
  readonly facts?: Partial<ImageFacts>;
  /** What its containers run, whatever their command; default: nothing, until a signal. */
  readonly program?: FakeProgram;
  /** Where its containers are reached; default an address that nobody listens on. */
  readonly address?: Partial<ContainerAddress>;
}

export interface FakeEngineOptions {
  /** Default `fake-agent`. */
  readonly agentId?: string;
  /** Images that are present, by reference. */
  readonly images?: Readonly<Record<string, FakeImage>>;
  /** Images that a pull brings, by reference. */
  readonly registry?: Readonly<Record<string, FakeImage>>;
  readonly description?: Partial<EngineDescription>;
  /** Another agent's fake engine: the same engine, seen by this one. */
  readonly sharedWith?: FakeEngine;
}

/** Names of the calls that can be made to fail or wait. */
export type EngineMethod = Exclude<keyof Engine, "watch">;

/** An engine in memory that tests can script. It passes the same contract suite as the real one. */
export interface FakeEngine extends Engine {
  /** Every container of this engine, whoever owns it, in the order they were made. */
  readonly containers: readonly FakeContainer[];
  /** Names of the calls so far, in order. */
  readonly calls: readonly EngineMethod[];
  /** The next call of a method fails, without an effect. */
  readonly failNext: (method: EngineMethod, error: EngineError) => void;
  /** Holds calls of a method back until `release`; `reached` resolves at the first. */
  readonly hold: (method: EngineMethod) => { readonly reached: Promise<void>; release(): void };
  /** From now on a registry has this image by this reference. */
  publish(reference: string, image: FakeImage): void;
  /** Gives an image a name more, as `docker tag` would. */
  tag(reference: string, name: string): void;
  /** Room where it keeps images, from now on; undefined: it cannot be seen. */
  setDiskSpace(space: DiskSpace | undefined): void;
  /** Removes a container as `docker rm -f` would. */
  removeFromOutside(id: ContainerId): void;
  /** Goes away: calls fail as `unreachable`, streams break, containers run on. */
  goAway(): void;
  /** Is there again, and says that events may have been missed. */
  comeBack(): void;
  readonly networks: "absent" | "present";
}

interface World {
  readonly images: Map<string, FakeImage>;
  readonly registry: Map<string, FakeImage>;
  readonly containers: FakeContainer[];
  readonly watchers: Set<(event: EngineEvent, agentId: string | undefined) => void>;
}

const worlds = new WeakMap<Engine, World>();

/** Makes a fake engine in which the given images are present and nothing runs. */
export function createFakeEngine(options: FakeEngineOptions = {}): FakeEngine {
  const agentId = options.agentId ?? "fake-agent";
  const world = (options.sharedWith && worlds.get(options.sharedWith)) ?? createWorld(options);
  const script = createScript();
  let networks: FakeEngine["networks"] = "absent";
  let diskSpace: DiskSpace | undefined = { totalBytes: 200 * 2 ** 30, freeBytes: 100 * 2 ** 30 };

  const find = (id: ContainerId): FakeContainer => {
    const container = world.containers.find((candidate) => candidate.id === id);
    if (container === undefined) throw new EngineError("not_found", 404, `No such container: ${id}`);
    return container;
  };
  const emit = (owner: string) => (event: EngineEvent) => world.watchers.forEach((watcher) => watcher(event, owner));
  const remove = (id: ContainerId) => {
    const container = world.containers.find((candidate) => candidate.id === id);
    if (container === undefined) return;
    container.kill();
    world.containers.splice(world.containers.indexOf(container), 1);
    emit(container.agentId)({ kind: "removed", id });
  };

  const engine: FakeEngine = {
    describe: script.method("describe", async () => ({ ...defaultDescription, ...options.description })),
    inspectImage: script.method("inspectImage", async (reference) => {
      const image = findImage(world.images, reference);
      return image && factsOf(...image);
    }),
    pullImage: script.method("pullImage", async (reference, { onProgress, signal }) => {
      signal?.throwIfAborted();
      const image = world.registry.get(reference);
      if (image === undefined) throw new EngineError("not_found", 404, `Cannot pull "${reference}": no registry has it`);
      onProgress?.({ layers: 1, layersDone: 1, bytes: 1, bytesDone: 1 });
      addImage(world.images, reference, image);
      return factsOf(reference, image);
    }),
    listImages: script.method("listImages", async () => presentImages(world.images)),
    removeImage: script.method("removeImage", async (reference) => removeImage(world, reference)),
    diskSpace: script.method("diskSpace", async () => diskSpace),
    ensureNetworks: script.method("ensureNetworks", async () => {
      networks = "present";
      return { internal: "127.0.0.1", internet: "127.0.0.1" };
    }),
    allowHostPorts: script.method("allowHostPorts", async () => undefined),
    pauseContainer: script.method("pauseContainer", async (id) => find(id).pause()),
    resumeContainer: script.method("resumeContainer", async (id) => find(id).resume()),
    removeNetworks: script.method("removeNetworks", async () => void (networks = "absent")),
    createContainer: script.method("createContainer", async (spec) => create(world, spec, agentId, emit(agentId))),
    attach: script.method("attach", async (id, { stdin }) => find(id).attach(stdin)),
    startContainer: script.method("startContainer", async (id) => find(id).start()),
    inspectContainer: script.method("inspectContainer", async (id) => world.containers.find((candidate) => candidate.id === id)?.state),
    waitExit: script.method("waitExit", (id) => waitExit(world, id)),
    signal: script.method("signal", async (id, signal) => world.containers.find((candidate) => candidate.id === id)?.signal(signal)),
    removeContainer: script.method("removeContainer", async (id) => remove(id)),
    listOwned: script.method("listOwned", async () => world.containers.filter((container) => container.agentId === agentId).map(({ owned }) => owned)),
    watch(handler) {
      const watcher = (event: EngineEvent, owner: string | undefined) => {
        if (!script.isAway && (owner === undefined || owner === agentId)) handler(event);
      };
      world.watchers.add(watcher);
      return { close: () => world.watchers.delete(watcher) };
    },
    containers: world.containers,
    calls: script.calls,
    failNext: script.failNext,
    hold: script.hold,
    publish: (reference, image) => void world.registry.set(reference, image),
    tag(reference, name) {
      const [, image] = findImage(world.images, reference) ?? [];
      if (image !== undefined) world.images.set(name, image);
    },
    setDiskSpace: (space) => void (diskSpace = space),
    removeFromOutside: remove,
    goAway() {
      script.isAway = true;
      for (const container of world.containers) container.breakStreams();
    },
    comeBack() {
      script.isAway = false;
      world.watchers.forEach((watcher) => watcher({ kind: "gap" }, undefined));
    },
    get networks() {
      return networks;
    },
  };
  worlds.set(engine, world);
  return engine;
}

function createWorld({ images = {}, registry = {} }: FakeEngineOptions): World {
  const present = new Map<string, FakeImage>();
  for (const [reference, image] of Object.entries(images)) addImage(present, reference, image);
  return { images: present, registry: new Map(Object.entries(registry)), containers: [], watchers: new Set() };
}

/** What a test has set up for the calls to come. */
function createScript() {
  const calls: EngineMethod[] = [];
  const failures = new Map<EngineMethod, EngineError[]>();
  const gates = new Map<EngineMethod, { reach(): void; opened: Promise<void> }>();
  const script = {
    calls,
    isAway: false,
    failNext: (method: EngineMethod, error: EngineError) => void failures.set(method, [...(failures.get(method) ?? []), error]),
    hold: (method: EngineMethod) => {
      const reached = Promise.withResolvers<void>();
      const opened = Promise.withResolvers<void>();
      gates.set(method, { reach: reached.resolve, opened: opened.promise });
      return { reached: reached.promise, release: () => (gates.delete(method), opened.resolve()) };
    },
    /** The method with what was scripted in front of it. */
    method<Arguments extends unknown[], Answer>(method: EngineMethod, run: (...args: Arguments) => Promise<Answer>) {
      return async (...args: Arguments): Promise<Answer> => {
        calls.push(method);
        const gate = gates.get(method);
        gate?.reach();
        await gate?.opened;
        if (script.isAway && method !== "waitExit") throw new EngineError("unreachable", 0, "The engine does not answer");
        const failure = failures.get(method)?.shift();
        if (failure !== undefined) throw failure;
        return run(...args);
      };
    },
  };
  return script;
}

function create(world: World, spec: ContainerSpec, agentId: string, emit: (event: EngineEvent) => void): ContainerId {
  const [, image] = findImage(world.images, spec.image) ?? [];
  if (image === undefined) throw new EngineError("not_found", 404, `Cannot create container "${spec.name}": no such image: ${spec.image}`);
  if (world.containers.some((container) => container.spec.name === spec.name)) throw new EngineError("conflict", 409, `Cannot create container "${spec.name}": the name is in use`);
  const labels = { ...spec.labels, [labelKeys.agent]: agentId, [labelKeys.fleet]: "true" };
  const address = { ip: "192.0.2.2", gateway: "192.0.2.1", pid: 0, ...image.address };
  const container = createFakeContainer({ ...spec, labels }, agentId, address, image.program ?? (({ ended }) => ended), emit);
  world.containers.push(container);
  return container.id;
}

async function waitExit(world: World, id: ContainerId): Promise<ContainerState> {
  const container = world.containers.find((candidate) => candidate.id === id);
  if (container?.state.running === true) await container.ended;
  return container?.state ?? { running: false, exitCode: undefined, oomKilled: false, error: undefined, ip: undefined };
}

/** Gives an image a name, and the names its digests are; whoever had the name keeps its id. */
function addImage(images: Map<string, FakeImage>, reference: string, image: FakeImage): void {
  for (const name of [reference, ...(image.facts?.repositoryDigests ?? [])]) {
    const before = images.get(name);
    images.set(name, image);
    if (before !== undefined && before !== image && ![...images.values()].includes(before)) images.set(idOf(name, before), before);
  }
}

function presentImages(images: ReadonlyMap<string, FakeImage>): PresentImage[] {
  return [...Map.groupBy(images, ([, image]) => image)].map(([image, named]) => {
    const [[first] = [""]] = named;
    const { imageId, sizeBytes } = factsOf(first, image);
    return { imageId, sizeBytes, names: named.map(([name]) => name).filter((name) => name !== imageId) };
  });
}

function removeImage({ images, containers }: World, reference: string): void {
  const [name, image] = findImage(images, reference) ?? [];
  if (name === undefined || image === undefined) return;
  const isLast = [...images.values()].filter((each) => each === image).length === 1;
  if (isLast && containers.some(({ spec }) => findImage(images, spec.image)?.[1] === image)) throw new EngineError("conflict", 409, `Cannot remove image "${reference}": a container uses it`);
  images.delete(name);
}

function findImage(images: ReadonlyMap<string, FakeImage>, reference: string): [reference: string, image: FakeImage] | undefined {
  const image = images.get(reference);
  return image === undefined ? [...images].find(([name, each]) => idOf(name, each) === reference) : [reference, image];
}

const ids = new WeakMap<FakeImage, string>();
let idsMade = 0;

/** The same under all of its names, and no other image's. */
function idOf(reference: string, image: FakeImage): string {
  const id = ids.get(image) ?? image.facts?.imageId ?? `sha256:${createHash("sha256").update(`${reference} ${++idsMade}`).digest("hex")}`;
  ids.set(image, id);
  return id;
}

const defaultDescription: EngineDescription = {
  name: "fake",
  version: "1.0",
  architecture: "amd64",
  cpuMillis: 4_000,
  memoryBytes: 8 * 2 ** 30,
  diskFreeBytes: 100 * 2 ** 30,
  hostName: "fake-host",
  kernel: "fake",
  runtimes: ["runc"],
};

function factsOf(reference: string, image: FakeImage): ImageFacts {
  return {
    imageId: idOf(reference, image),
    repositoryDigests: [],
    architecture: "amd64",
    sizeBytes: 1,
    entrypoint: [],
    command: [],
    exposedPorts: [],
    volumes: [],
    env: [],
    labels: {},
    user: "",
    workingDirectory: "",
    faults: [],
    ...image.facts,
  };
}
