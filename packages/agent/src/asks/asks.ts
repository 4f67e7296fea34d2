import { type Ask, type ImageFacts, LongshoreError, type PullProgress } from "@longshore/protocol";
import type { AcceptedWork } from "../accepted/accepted-work.ts";
import type { Adoption } from "../adoption.ts";
import type { AskHandler } from "../bus/bus.ts";
import type { Engine } from "../engine/engine.ts";
import type { ImageShelf } from "../instances/images.ts";
import { pullFailure } from "../instances/pull-failure.ts";
import type { InstancePool } from "../instances/pool.ts";
import type { LogStore } from "../logs/log-store.ts";
import type { KnownRevisions } from "../run/revisions.ts";

/** What a broker can ask of an agent leads to these. */
export interface AskedParts {
  readonly engine: Pick<Engine, "inspectImage" | "pullImage">;
  readonly images: ImageShelf;
  readonly pool: InstancePool;
  readonly revisions: KnownRevisions;
  readonly adoption: Pick<Adoption, "revisionKnown">;
  readonly logs: Pick<LogStore, "read">;
  readonly accepted: Pick<AcceptedWork, "settle" | "confirm" | "holdings" | "answer">;
  readonly introduce: () => void;
  readonly drain: (deadlineMs: number) => Promise<void>;
  readonly resume: () => void;
}

/** Answers everything a broker asks beside running. */
export function createAskHandler(parts: AskedParts): AskHandler {
  return (ask, signal) => (ask.ask === "answer" ? parts.accepted.answer(ask) : ask.ask === "logs" ? parts.logs.read(ask, signal) : ask.ask === "inspect_image" ? inspectImage(parts.engine, ask, signal) : handle(parts, ask));
}

async function handle(parts: AskedParts, ask: Exclude<Ask, { ask: "answer" | "logs" | "inspect_image" }>): Promise<unknown> {
  switch (ask.ask) {
    case "introduce":
      return parts.introduce();
    case "prepare":
      parts.revisions.remember(ask.revision, ask.credential);
      await parts.images.ensure(ask.revision, ask.credential);
      parts.adoption.revisionKnown(ask.revision);
      return parts.pool.hold(ask.revision, ask.held, ask.minimum);
    case "retire":
      parts.images.forget(ask.revisionDigest); // Heartbeats need not name it any more.
      return parts.pool.retire(ask.revisionDigest);
    case "drain":
      return parts.drain(ask.deadlineMs);
    case "resume":
      return parts.resume();
    case "settle":
      return parts.accepted.settle(ask.attempts);
    case "confirm":
      return parts.accepted.confirm(ask.attempts);
    case "holdings":
      return parts.accepted.holdings;
  }
}

type InspectAsk = Extract<Ask, { ask: "inspect_image" }>;

/** Lines of progress, then what the image is. */
async function* inspectImage(engine: AskedParts["engine"], ask: InspectAsk, signal: AbortSignal): AsyncGenerator<{ progress: PullProgress } | { image: ImageFacts }> {
  const action = `Cannot inspect image "${ask.reference}"`;
  try {
    const present = await engine.inspectImage(ask.reference);
    if (present !== undefined && !(ask.pull && mayHaveMoved(ask.reference, present))) {
      yield { image: present };
      return;
    }
    if (!ask.pull) throw new LongshoreError("image_not_found", `${action}: the engine does not have it`, { phase: "placement" });
    yield* pull(engine, ask, signal);
  } catch (error) {
    throw pullFailure(error, action, "placement");
  }
}

async function* pull(engine: AskedParts["engine"], { reference, credential }: InspectAsk, signal: AbortSignal): AsyncGenerator<{ progress: PullProgress } | { image: ImageFacts }> {
  let latest: PullProgress | undefined;
  let wake: () => void = () => undefined;
  const pulled = engine.pullImage(reference, {
    credential,
    signal,
    onProgress: (progress) => {
      latest = progress;
      wake();
    },
  });
  let image: ImageFacts | undefined;
  const done: Promise<void> = pulled.then((facts) => {
    image = facts;
  });
  done.catch(() => undefined);
  while (image === undefined) {
    const progressed = new Promise<void>((resolve) => {
      wake = resolve;
    });
    if (latest === undefined) await Promise.race([done, progressed]);
    const progress = latest;
    latest = undefined; // Before it is told: more may come while it is.
    if (progress !== undefined) yield { progress };
  }
  yield { image };
}

/** A tag means what its registry says now. An image that no registry knows means itself. */
function mayHaveMoved(reference: string, { repositoryDigests }: ImageFacts): boolean {
  return repositoryDigests.length > 0 && !reference.includes("@") && !reference.startsWith("sha256:");
}
