import type { ImageReference, RegistryCredential } from "@longshore/protocol";
import type { Registries } from "../registries/registries.ts";
import { EngineError } from "./engine.ts";

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
  const registry = `registry "${reference.registry}"`;
  try {
    const { status, words, architectures } = await parts.registries.ask(reference, credential);
    if (status === 200) return architectures === undefined ? error : await explainList(error, action, architectures, parts.architecture);
    const failure = status === 401 || status === 403 ? "denied" : status === 404 ? "not_found" : "internal";
    const who = failure !== "denied" ? "" : credential === undefined ? ", and it was asked without credentials" : `, and it was asked as "${credential.username}"`;
    return new EngineError(failure, status, `${action}: ${registry} answered ${status}: ${words}${who}`, error);
  } catch (cause) {
    // Without a relay the engine has ways of its own, and its own account of them.
    return parts.registries.relayOf(reference.registry) === undefined ? error : new EngineError("internal", 502, `${action}: ${registry} cannot be reached: ${cause instanceof Error ? cause.message : String(cause)}`, error);
  }
}

async function explainList(error: EngineError, action: string, architectures: readonly string[], architecture: () => Promise<string>): Promise<EngineError> {
  const own = await architecture();
  if (architectures.includes(own)) return error;
  const made = architectures.length === 0 ? "no Linux host" : architectures.map((name) => JSON.stringify(name)).join(", ");
  return new EngineError("wrong_architecture", 200, `${action}: the image is for ${made}, and this host is ${JSON.stringify(own)}`, error);
}
