import { type AgentAddress, type ImageFacts, inspectLineSchema, LongshoreError, parseImageReference, type PullProgress, type RegistryCredential, type RevisionImage } from "@longshore/protocol";
import type { Asker } from "../roster/ask-agent.ts";

/** Progress of a pull, and where it happens. */
export type OnProgress = (progress: { readonly siteId: string; readonly agentId: string; readonly pull: PullProgress }) => void;

/** What an agent found of an image. */
export interface FoundImage {
  readonly agent: AgentAddress;
  readonly facts: ImageFacts;
}

/** An agent's engine may be silent that long while it looks; pulls tell of their progress. */
const lookSilenceMs = 10_000;
const pullSilenceMs = 120_000;
/** So many agents are asked whether they have an image. */
const maxAsked = 16;
/** So many agents are asked to pull it, one after the other. */
const maxPulls = 3;

interface InspectOptions {
  readonly asker: Asker;
  /** For the image's registry. */
  readonly credential?: RegistryCredential | undefined;
  readonly onProgress: OnProgress;
  readonly signal: AbortSignal;
}

/**
 * Finds out what an image is. Agents that have it say so first; one that came from a registry under a tag is asked for again, since
 * the tag may have moved. A registry that is out of reach does not keep a known image from being used; one that refuses the
 * credentials does. Throws `image_not_found`, `image_pull_failed`, `registry_denied`, or what else kept every agent from it.
 */
export async function inspectImage(reference: string, agents: readonly AgentAddress[], options: InspectOptions): Promise<FoundImage> {
  const present = await look(reference, agents.slice(0, maxAsked), options);
  const local = present.find(({ facts }) => facts.repositoryDigests.length === 0);
  if (local !== undefined) return local;
  const known = present[0];
  if (known !== undefined && parseImageReference(reference).digest !== undefined) return known;
  try {
    return await pullSomewhere(reference, known === undefined ? agents : [known.agent], options);
  } catch (error) {
    if (known === undefined || options.signal.aborted || isDenied(error)) throw error;
    return known;
  }
}

/** Finds an image that exists in some agent's engine, under that name or id, and asks no registry. Throws `image_not_found` when no agent has it. */
export async function inspectLocalImage(reference: string, agents: readonly AgentAddress[], options: InspectOptions): Promise<FoundImage> {
  for (let from = 0; from < agents.length; from += maxAsked) {
    const [found] = await look(reference, agents.slice(from, from + maxAsked), options);
    if (found !== undefined) return found;
    if (options.signal.aborted) break;
  }
  const asked = agents.length === 1 ? `agent "${agents[0]?.agentId ?? ""}" has not got it` : `none of the ${agents.length} agents that may run it has it`;
  throw new LongshoreError("image_not_found", `Cannot find local image "${reference}": ${asked}, and no registry is asked`, { phase: "placement", field: "image" });
}

/** The agents that have the image already; whoever fails to answer has not. */
async function look(reference: string, agents: readonly AgentAddress[], options: InspectOptions): Promise<FoundImage[]> {
  const found = await Promise.allSettled(agents.map((agent) => askOne(agent, reference, false, options)));
  return found.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
}

async function pullSomewhere(reference: string, agents: readonly AgentAddress[], options: InspectOptions): Promise<FoundImage> {
  let failure: unknown = new LongshoreError("image_not_found", `Cannot find image "${reference}": no agent could look for it`, { field: "image" });
  for (const agent of agents.slice(0, maxPulls)) {
    try {
      return await askOne(agent, reference, true, options);
    } catch (error) {
      if (options.signal.aborted || isDenied(error)) throw error;
      failure = error;
    }
  }
  throw failure;
}

async function askOne(agent: AgentAddress, reference: string, pull: boolean, { asker, credential, onProgress, signal }: InspectOptions): Promise<FoundImage> {
  let facts: ImageFacts | undefined;
  await asker.ask(agent, { ask: "inspect_image", reference, pull, ...(pull && credential && { credential }) }, {
    silenceMs: pull ? pullSilenceMs : lookSilenceMs,
    signal,
    onLine(line) {
      const parsed = inspectLineSchema.parse(line);
      if ("image" in parsed) facts = parsed.image;
      else onProgress({ siteId: agent.siteId, agentId: agent.agentId, pull: parsed.progress });
    },
  });
  if (facts === undefined) throw new LongshoreError("image_not_found", `Cannot find image "${reference}" at agent "${agent.agentId}"`, { field: "image" });
  return { agent, facts };
}

function isDenied(error: unknown): boolean {
  return error instanceof LongshoreError && error.reason === "registry_denied";
}

/** An image of one engine fixed for a revision: by its id, whatever registries call it. */
export function pinLocalImage(reference: string, facts: ImageFacts): RevisionImage {
  return { ...described(reference, facts), digest: facts.imageId, local: true };
}

/** An image fixed for a revision: by the digest its registry knows it by, or by its id where none does. Throws `bad_schema` when the reference names another digest. */
export function pinImage(reference: string, facts: ImageFacts): RevisionImage {
  const { digest: wanted } = parseImageReference(reference);
  const digests = facts.repositoryDigests.map((text) => ({ text, digest: text.slice(text.indexOf("@") + 1) }));
  if (wanted !== undefined && !digests.some(({ digest }) => digest === wanted) && facts.imageId !== wanted) {
    throw new LongshoreError("bad_schema", `Cannot use image "${reference}": what was found has another digest`, { field: "image" });
  }
  const ofRepository = digests.find(({ text }) => isSameRepository(text, reference)) ?? digests[0];
  return { ...described(reference, facts), digest: wanted ?? ofRepository?.digest ?? facts.imageId, local: ofRepository === undefined };
}

function described(reference: string, facts: ImageFacts): Omit<RevisionImage, "digest" | "local"> {
  return {
    reference,
    architecture: facts.architecture,
    sizeBytes: facts.sizeBytes,
    entrypoint: facts.entrypoint,
    command: facts.command,
    exposedPorts: facts.exposedPorts,
  };
}

function isSameRepository(repositoryDigest: string, reference: string): boolean {
  const [a, b] = [parseImageReference(repositoryDigest), parseImageReference(reference)];
  return a.registry === b.registry && a.repository === b.repository;
}
