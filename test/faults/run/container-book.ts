import { once } from "node:events";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { labelKeys } from "../../../packages/agent/src/engine/labels.ts";
import { docker } from "../../support/agent-engine.ts";

/** Engine events of one container, as far as they are read here. */
interface EngineEvent {
  readonly id?: string;
  readonly Actor?: { readonly Attributes?: Readonly<Record<string, string>> };
}

const shortLength = 12;

/** Whose each container is or was, by the engine's events: also of those that are gone. */
export class ContainerBook implements AsyncDisposable {
  readonly #agents = new Map<string, string>();
  readonly #stream: Readable;

  private constructor(stream: Readable) {
    this.#stream = stream;
    createInterface({ input: stream }).on("line", (line) => {
      const { id = "", Actor } = JSON.parse(line) as EngineEvent;
      this.#agents.set(id.slice(0, shortLength), Actor?.Attributes?.[labelKeys.agent] ?? "");
    });
  }

  static async open(): Promise<ContainerBook> {
    const stream: unknown = await docker.getEvents({ filters: { type: ["container"], event: ["create"], label: [`${labelKeys.fleet}=true`] } });
    if (!(stream instanceof Readable)) throw new Error("Cannot follow the engine's events: what it gave is no stream");
    return new ContainerBook(stream);
  }

  /** The agent whose container has this short id, its host name; the engine is asked where its events did not say. */
  async agentOf(shortId: string): Promise<string> {
    const known = this.#agents.get(shortId);
    if (known !== undefined) return known;
    const labels = await docker.getContainer(shortId).inspect().then(({ Config }): Readonly<Record<string, string>> => Config.Labels, (): Readonly<Record<string, string>> => ({}));
    return labels[labelKeys.agent] ?? "unknown";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#stream, "close");
    this.#stream.destroy();
    await closed;
  }
}
