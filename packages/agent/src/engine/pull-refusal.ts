import type { ImageReference, RegistryCredential } from "@longshore/protocol";
import { NoAnswer, type RegistryAnswer } from "../registries/ask-registry.ts";
import type { Registries } from "../registries/registries.ts";
import { EngineError, type EngineFailure } from "./engine.ts";

interface Parts {
  readonly registries: Registries;
  /** The host's, as images name it. */
  readonly architecture: () => Promise<string>;
}

/**
 * Engines tell a missing image, a wrong password and a registry that is away by text alone, and by statuses that mean several of them. So
 * the registry itself is asked, once a pull has failed; where it cannot be, or has nothing against the pull, the engine's account stands.
 */
export async function explainPull(error: EngineError, action: string, reference: ImageReference, credential: RegistryCredential | undefined, parts: Parts): Promise<EngineError> {
  try {
    const answer = await parts.registries.ask(reference, credential);
    if (answer.architectures !== undefined) return await explainList(error, action, answer.architectures, parts.architecture);
    const failure = failureOf(answer);
    if (failure === undefined) return error;
    const who = failure !== "denied" ? "" : credential === undefined ? ", and it was asked without credentials" : `, and it was asked as "${credential.username}"`;
    return new EngineError(failure, answer.status, `${action}: ${speakerOf(answer.tokenServer, reference)} answered ${answer.status}: ${answer.words}${who}`, error);
  } catch (cause) {
    // Without a relay the engine has ways of its own, and its own account of them.
    if (parts.registries.relayOf(reference.registry) === undefined) return error;
    const speaker = speakerOf(cause instanceof NoAnswer ? cause.tokenServer : undefined, reference);
    return new EngineError("internal", 502, `${action}: ${speaker} cannot be reached: ${cause instanceof Error ? cause.message : String(cause)}`, error);
  }
}

/** What is against the pull; undefined: nothing. A place that gives tokens knows of no image: only a registry's 404 is the image's. */
function failureOf({ status, tokenServer }: RegistryAnswer): EngineFailure | undefined {
  if (status === 401 || status === 403) return "denied";
  if (tokenServer !== undefined) return "internal";
  if (status === 200) return undefined;
  return status === 404 ? "not_found" : "internal";
}

function speakerOf(tokenServer: string | undefined, { registry }: ImageReference): string {
  return tokenServer === undefined ? `registry "${registry}"` : `token server "${tokenServer}" of registry "${registry}"`;
}

async function explainList(error: EngineError, action: string, architectures: readonly string[], architecture: () => Promise<string>): Promise<EngineError> {
  const own = await architecture();
  if (architectures.includes(own)) return error;
  const made = architectures.length === 0 ? "no Linux host" : architectures.map((name) => JSON.stringify(name)).join(", ");
  return new EngineError("wrong_architecture", 200, `${action}: the image is for ${made}, and this host is ${JSON.stringify(own)}`, error);
}
