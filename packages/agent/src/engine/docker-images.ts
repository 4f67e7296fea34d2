import { formatImageReference, type ImageFacts, type ImageReference, LongshoreError, parseImageReference } from "@longshore/protocol";
import type { Registries } from "../registries/registries.ts";
import { callLimits, type DockerApi } from "./docker-api.ts";
import { type Engine, EngineError, type PresentImage, type PullOptions } from "./engine.ts";
import { isNotFound } from "./failure.ts";
import { imageFacts, type InspectedImage } from "./image-facts.ts";
import { readJsonLines } from "./json-lines.ts";
import { createPulls } from "./pull.ts";
import { explainPull } from "./pull-refusal.ts";
import type { PullLine } from "./pull-progress.ts";
import { aliasOf, digestReferenceOf, isAlias } from "./relayed-names.ts";
import { createRelayedNames } from "./settle-names.ts";

const imageIdPattern = /^sha256:[0-9a-f]{64}$/;

export interface DockerImages {
  readonly inspect: Engine["inspectImage"];
  readonly pull: Engine["pullImage"];
  readonly list: Engine["listImages"];
  readonly remove: Engine["removeImage"];
}

interface ListedImage {
  readonly Id: string;
  readonly Size?: number;
  readonly RepoTags?: readonly string[] | null;
  readonly RepoDigests?: readonly string[] | null;
}

export interface DockerImagesOptions {
  readonly api: DockerApi;
  readonly registries: Registries;
  /** The host's, as images name it. */
  readonly architecture: () => Promise<string>;
  readonly pullSilenceMs?: number | undefined;
}

/** Images of a Docker engine: inspection, pulls of which each runs only once at a time, removal. */
export function createDockerImages({ api, registries, architecture, pullSilenceMs }: DockerImagesOptions): DockerImages {
  const pulls = createPulls(async (reference, { credential, signal }) => {
    const { registry, repository, tag, digest } = readReference(reference);
    const host = registries.relayOf(registry) ?? registry;
    const body = await api.stream(
      `Cannot pull "${reference}"`,
      {
        method: "POST",
        path: "/images/create",
        query: { fromImage: `${host}/${repository}`, tag: digest ?? tag ?? "latest" },
        authConfig: credential && { ...credential, serveraddress: host },
      },
      signal,
    );
    return readJsonLines(body) as AsyncIterable<PullLine>;
  }, pullSilenceMs);

  const inspectRaw = async (name: string): Promise<InspectedImage | undefined> => {
    try {
      return await api.call<InspectedImage>(`Cannot inspect image "${name}"`, { method: "GET", path: `/images/${name}/json` });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };
  const inspect = async (reference: string): Promise<ImageFacts | undefined> => {
    for (const name of engineNames(reference)) {
      const raw = await inspectRaw(name);
      if (raw !== undefined) return imageFacts(raw);
    }
    return undefined;
  };
  const settle = createRelayedNames(api, inspectRaw);

  const bring = async (reference: string, options: PullOptions): Promise<void> => {
    const parsed = readReference(reference);
    try {
      await pulls.pull(reference, options);
    } catch (error) {
      const isOurs = !(error instanceof EngineError) || error.failure === "unreachable" || options.signal?.aborted === true;
      throw isOurs ? error : await explainPull(error, `Cannot pull "${reference}"`, parsed, options.credential, { registries, architecture });
    }
    const relay = registries.relayOf(parsed.registry);
    if (relay !== undefined) await settle(parsed, relay);
  };

  return {
    inspect,
    async pull(reference, options) {
      // An id names what is present or nothing: no registry knows it.
      if (!imageIdPattern.test(reference)) await bring(reference, options);
      const facts = await inspect(reference);
      if (facts === undefined) throw new EngineError("not_found", 404, `Cannot pull "${reference}": the engine does not have it`);
      return facts;
    },
    async list() {
      const listed = await api.call<ListedImage[]>("Cannot list images", { method: "GET", path: "/images/json" }, callLimits.workMs);
      return listed.map(presentImage);
    },
    async remove(reference) {
      for (const name of engineNames(reference)) {
        try {
          await api.call(`Cannot remove image "${reference}"`, { method: "DELETE", path: `/images/${name}` }, callLimits.workMs);
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      }
    },
  };
}

function presentImage({ Id, Size, RepoTags, RepoDigests }: ListedImage): PresentImage {
  // Engines name what has no name `<none>:<none>` or `<none>@<none>`.
  const named = [...(RepoTags ?? []), ...(RepoDigests ?? [])].filter((name) => !name.startsWith("<none>"));
  const meant = named.flatMap((name) => digestReferenceOf(name) ?? (isAlias(name) ? [] : name));
  return { imageId: Id, sizeBytes: Size ?? 0, names: [...new Set(meant.map(fullName))] };
}

/** A name of somebody's that is beyond our grammar stays as it is: nothing of ours bears it. */
function fullName(name: string): string {
  try {
    return formatImageReference(parseImageReference(name));
  } catch {
    return name;
  }
}

/** How the engine's paths may name it: a digest also by the tag that stands for it, where it came through a relay. */
function engineNames(reference: string): string[] {
  if (imageIdPattern.test(reference)) return [reference];
  const parsed = readReference(reference);
  const name = formatImageReference(parsed);
  return parsed.digest === undefined ? [name] : [name, aliasOf(parsed, parsed.digest)];
}

function readReference(text: string): ImageReference {
  try {
    return parseImageReference(text);
  } catch (error) {
    if (!(error instanceof LongshoreError)) throw error;
    throw new EngineError("bad_request", 400, error.message, error);
  }
}
