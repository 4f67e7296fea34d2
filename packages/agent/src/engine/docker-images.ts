import { formatImageReference, type ImageFacts, type ImageReference, LongshoreError, parseImageReference } from "@longshore/protocol";
import { callLimits, type DockerApi } from "./docker-api.ts";
import { type Engine, EngineError, type PresentImage } from "./engine.ts";
import { isNotFound } from "./failure.ts";
import { imageFacts, type InspectedImage } from "./image-facts.ts";
import { readJsonLines } from "./json-lines.ts";
import { createPulls } from "./pull.ts";
import type { PullLine } from "./pull-progress.ts";

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

/** Images of a Docker engine: inspection, pulls of which each runs only once at a time, removal. */
export function createDockerImages(api: DockerApi): DockerImages {
  const pulls = createPulls(async (reference, { credential, signal }) => {
    const parsed = readReference(reference);
    const body = await api.stream(
      `Cannot pull "${reference}"`,
      {
        method: "POST",
        path: "/images/create",
        query: { fromImage: `${parsed.registry}/${parsed.repository}`, tag: parsed.digest ?? parsed.tag ?? "latest" },
        authConfig: credential && { ...credential, serveraddress: parsed.registry },
      },
      signal,
    );
    return readJsonLines(body) as AsyncIterable<PullLine>;
  });

  const inspect = async (reference: string): Promise<ImageFacts | undefined> => {
    try {
      return imageFacts(await api.call<InspectedImage>(`Cannot inspect image "${reference}"`, { method: "GET", path: `/images/${engineName(reference)}/json` }));
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };

  return {
    inspect,
    async pull(reference, options) {
      // An id names what is present or nothing: no registry knows it.
      if (!imageIdPattern.test(reference)) await pulls.pull(reference, options);
      const facts = await inspect(reference);
      if (facts === undefined) throw new EngineError("not_found", 404, `Cannot pull "${reference}": the engine does not have it`);
      return facts;
    },
    async list() {
      const listed = await api.call<ListedImage[]>("Cannot list images", { method: "GET", path: "/images/json" }, callLimits.workMs);
      return listed.map(presentImage);
    },
    async remove(reference) {
      try {
        await api.call(`Cannot remove image "${reference}"`, { method: "DELETE", path: `/images/${engineName(reference)}` }, callLimits.workMs);
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    },
  };
}

function presentImage({ Id, Size, RepoTags, RepoDigests }: ListedImage): PresentImage {
  // Engines name what has no name `<none>:<none>` or `<none>@<none>`.
  const named = [...(RepoTags ?? []), ...(RepoDigests ?? [])].filter((name) => !name.startsWith("<none>"));
  return { imageId: Id, sizeBytes: Size ?? 0, names: named.map(fullName) };
}

/** A name of somebody's that is beyond our grammar stays as it is: nothing of ours bears it. */
function fullName(name: string): string {
  try {
    return formatImageReference(parseImageReference(name));
  } catch {
    return name;
  }
}

/** How the engine's paths name it. */
function engineName(reference: string): string {
  return imageIdPattern.test(reference) ? reference : formatImageReference(readReference(reference));
}

function readReference(text: string): ImageReference {
  try {
    return parseImageReference(text);
  } catch (error) {
    if (!(error instanceof LongshoreError)) throw error;
    throw new EngineError("bad_request", 400, error.message, error);
  }
}
