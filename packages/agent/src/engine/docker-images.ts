import { formatImageReference, type ImageFacts, type ImageReference, LongshoreError, parseImageReference } from "@longshore/protocol";
import type { DockerApi } from "./docker-api.ts";
import { type Engine, EngineError } from "./engine.ts";
import { isNotFound } from "./failure.ts";
import { imageFacts, type InspectedImage } from "./image-facts.ts";
import { readJsonLines } from "./json-lines.ts";
import { createPulls } from "./pull.ts";
import type { PullLine } from "./pull-progress.ts";

const imageIdPattern = /^sha256:[0-9a-f]{64}$/;

/** Images of a Docker engine: inspection, and pulls of which each runs only once at a time. */
export function createDockerImages(api: DockerApi): { inspect: Engine["inspectImage"]; pull: Engine["pullImage"] } {
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
    const name = imageIdPattern.test(reference) ? reference : formatImageReference(readReference(reference));
    try {
      return imageFacts(await api.call<InspectedImage>(`Cannot inspect image "${reference}"`, { method: "GET", path: `/images/${name}/json` }));
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
  };
}

function readReference(text: string): ImageReference {
  try {
    return parseImageReference(text);
  } catch (error) {
    if (!(error instanceof LongshoreError)) throw error;
    throw new EngineError("bad_request", 400, error.message, error);
  }
}
