import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { createOutsideHost, type OutsideHost } from "../../support/outside-host.ts";
import type { HarnessClock } from "../harness-clock.ts";
import type { HistoryWriter } from "../history-file.ts";
import type { ContainerBook } from "./container-book.ts";
import type { FaultyAgent } from "./fleet.ts";

const port = 7_700;
const program = fileURLToPath(new URL("./collector.ts", import.meta.url));
const wordSchema = z.discriminatedUnion("word", [
  z.object({ word: z.literal("listening") }),
  z.object({ word: z.literal("began"), runId: z.string(), invocationId: z.string(), container: z.string(), from: z.string(), nanoseconds: z.coerce.bigint() }),
  z.object({ word: z.literal("ended"), runId: z.string(), invocationId: z.string(), how: z.enum(["succeeded", "failed", "killed"]), output: z.string().optional(), nanoseconds: z.coerce.bigint() }),
]);

/**
 * What images really did, told by themselves over a TCP connection to a host outside: instances reach neither this machine nor files of
 * it, and what an agent or an engine passes on dies with them. An actor goes on only once its word is taken down, and the kernel closes
 * its connection when it ends, so that neither a beginning nor an end is missed, whatever is killed.
 */
export class GroundTruth implements AsyncDisposable {
  /** Where actors are to tell it, `host:port`. */
  readonly address: string;
  /** Rejects when it cannot be collected any more: a run without it proves nothing. */
  readonly failed: Promise<never>;
  readonly #host: OutsideHost;
  readonly #fail: (error: Error) => void;
  /** Agents by the address that their instances come from, where they have one of their own. */
  readonly #agents = new Map<string, string>();
  #collector: ChildProcess | undefined;

  private constructor(host: OutsideHost, address: string) {
    this.#host = host;
    this.address = `${address}:${port}`;
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => undefined);
    [this.failed, this.#fail] = [promise, reject];
  }

  /** Needs root. Every word goes to the history as it comes. */
  static async start(history: HistoryWriter, clock: HarnessClock, containers: ContainerBook): Promise<GroundTruth> {
    const address = `203.0.113.${1 + (randomBytes(1).readUInt8() % 250)}`;
    const truth = new GroundTruth(createOutsideHost([address]), address);
    try {
      await truth.#collect(history, clock, containers);
    } catch (error) {
      await truth[Symbol.asyncDispose]();
      throw error;
    }
    return truth;
  }

  /** Instances of that agent, whose engine is the harness's own, tell it too. */
  join({ agentId, engine }: Pick<FaultyAgent, "agentId" | "engine">): void {
    if (engine !== undefined) this.#agents.set(engine.joinTo(this.#host, this.address.replace(/:\d+$/, "")), agentId);
  }

  async #collect(history: HistoryWriter, clock: HarnessClock, containers: ContainerBook): Promise<void> {
    const [command, ...words] = [...this.#host.prefix, process.execPath, program, String(port)];
    this.#collector = spawn(command, words, { stdio: ["ignore", "pipe", "inherit"] });
    const listening = Promise.withResolvers<void>();
    this.#collector.once("exit", () => this.#fail(new Error("Cannot collect ground truth: its process ended")));
    createInterface({ input: this.#collector.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      const word = wordSchema.parse(JSON.parse(line));
      if (word.word === "listening") return listening.resolve();
      const atMs = clock.ofMonotonic(word.nanoseconds);
      const { invocationId, runId } = word;
      if (word.word === "ended") return void history.write({ event: "ended", atMs, invocationId, runId, how: word.how, ...(word.output !== undefined && { output: word.output }) });
      const known = this.#agents.get(word.from.replace("::ffff:", ""));
      const agent = known === undefined ? containers.agentOf(word.container) : Promise.resolve(known);
      void agent.then((agentId) => history.write({ event: "began", atMs, invocationId, runId, agentId }));
    });
    await Promise.race([listening.promise, this.failed]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const collector = this.#collector;
    if (collector !== undefined && collector.exitCode === null && collector.signalCode === null) {
      collector.kill();
      await once(collector, "exit");
    }
    await this.#host.close();
  }
}
