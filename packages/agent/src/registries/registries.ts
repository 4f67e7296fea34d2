import type { ImageReference, RegistryCredential } from "@longshore/protocol";
import type { Logger } from "../log.ts";
import { askRegistry, type RegistryAnswer } from "./ask-registry.ts";
import { type Relay, startRelay } from "./relay.ts";
import { defaultAccess, readRegistryAccess, type RegistryAccess, type RegistrySetting } from "./settings.ts";
import { createUpstream, type Upstream } from "./upstream.ts";

/** The registries that images come from, as this host reaches them. */
export interface Registries {
  /** Where the engine reaches a registry instead of by its own name; undefined: by its own name. */
  relayOf(host: string): string | undefined;
  /** What the registry itself says of an image; rejects when it cannot be reached. */
  ask(reference: ImageReference, credential: RegistryCredential | undefined): Promise<RegistryAnswer>;
}

/** A registry that takes longer says nothing. */
const askMs = 10_000;

interface Reached {
  readonly access: RegistryAccess;
  readonly upstream: Upstream;
}

/** Starts a relay for every registry that settings speak of. Rejects with `bad_schema` naming a setting that cannot be used. */
export async function startRegistries(settings: readonly RegistrySetting[], log: Logger): Promise<Registries & { close(): Promise<void> }> {
  const relayed = new Map<string, Reached & { readonly relay: Relay }>();
  for (const access of readRegistryAccess(settings)) {
    const upstream = createUpstream(access);
    relayed.set(access.host, { access, upstream, relay: await startRelay({ access, upstream, log }) });
  }
  const asking = directRegistries();
  return {
    relayOf: (host) => relayed.get(host.toLowerCase())?.relay.address,
    ask: (reference, credential) => {
      const reached = relayed.get(reference.registry.toLowerCase());
      return reached === undefined ? asking.ask(reference, credential) : askWithin(reached, reference, credential);
    },
    async close() {
      await Promise.all([...relayed.values()].map(({ relay, upstream }) => (upstream.close(), relay.close())));
    },
  };
}

/** Registries as they are reached where settings say nothing. */
export function directRegistries(): Registries {
  return {
    relayOf: () => undefined,
    async ask(reference, credential) {
      const access = defaultAccess(reference.registry);
      const upstream = createUpstream(access);
      try {
        return await askWithin({ access, upstream }, reference, credential);
      } finally {
        upstream.close();
      }
    },
  };
}

function askWithin({ access, upstream }: Reached, reference: ImageReference, credential: RegistryCredential | undefined): Promise<RegistryAnswer> {
  return askRegistry(access, upstream, reference, credential, AbortSignal.timeout(askMs));
}
