import { EngineError, type ContainerState } from "../../engine/engine.ts";
import { createFakeStreams, type FakeStreams } from "../../engine/testing/fake-streams.ts";
import { nonceBytes } from "../../hold/frame.ts";
import { testRevision } from "../../testing/revision.ts";
import type { ContractRun, ProgramEnd, RunningInstance } from "../contract.ts";
import { createStdioContract } from "../stdio.ts";
import { type CallChanges, contractCall } from "./contract-call.ts";
import { RecordedAnswer } from "./recorded-answer.ts";
import { RecordedSuspension } from "../../testing/recorded-suspension.ts";

const nonce = Uint8Array.from({ length: nonceBytes }, (_, index) => 200 + index);

/** How a program under `hold` ended, as numbers on the wire. */
export interface Ending {
  readonly kind?: "exited" | "signalled" | "not_started";
  readonly value?: number;
  readonly oomKills?: number;
}

/** One invocation of a command-line image whose program is the test. */
export class StdioScene {
  readonly answer = new RecordedAnswer();
  readonly run: ContractRun;
  readonly streams: FakeStreams = createFakeStreams();
  /** What the program was given beside its own environment. */
  env: readonly string[] = [];
  readonly #input: AsyncIterator<Uint8Array>;
  #exit!: { resolve(state: ContainerState): void; reject(error: EngineError): void };

  constructor(end: ProgramEnd["kind"], { contentType, ...call }: CallChanges & { readonly contentType?: string } = {}) {
    const exited = new Promise<ContainerState>((resolve, reject) => {
      this.#exit = { resolve, reject };
    });
    const begin = (env: readonly string[]): ProgramEnd => {
      this.env = env;
      return end === "trailer" ? { kind: "trailer", nonce } : { kind: "exit", exited };
    };
    const revision = testRevision({ name: "wc", contract: "stdio", ...(contentType !== undefined && { contentType }) });
    const instance: RunningInstance = {
      instanceId: "instance-1",
      revision,
      address: { ip: "", gateway: "", pid: 0 },
      plan: { mode: "run", env: [], port: undefined },
      streams: { attachment: this.streams.attachment, begin },
      exited,
      suspension: new RecordedSuspension(),
    };
    this.#input = this.streams.input[Symbol.asyncIterator]();
    this.run = createStdioContract().invoke(instance, contractCall(call), this.answer);
  }

  /** The program writes. */
  async print(text: string | Uint8Array, stream: "stdout" | "stderr" = "stdout"): Promise<void> {
    await this.streams.write(stream, Buffer.from(text));
  }

  /** The program reads one piece; undefined at the end of its input. */
  async read(): Promise<Buffer | undefined> {
    const next = await this.#input.next();
    return next.done === true ? undefined : Buffer.from(next.value);
  }

  /** The program reads to the end of its input. */
  async readAll(): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (let piece = await this.read(); piece !== undefined; piece = await this.read()) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  /** `hold` tells how the program ended, on one stream or both. */
  async trailer(ending: Ending = {}, streams: readonly ("stdout" | "stderr")[] = ["stdout", "stderr"]): Promise<void> {
    for (const stream of streams) await this.streams.write(stream, trailerOf(ending));
  }

  /** The engine tells how the container ended. */
  exit(state: Partial<ContainerState>): void {
    this.#exit.resolve({ running: false, exitCode: 0, oomKilled: false, error: undefined, ip: undefined, ...state });
  }

  /** The container could not be started. */
  failToStart(failure: EngineError["failure"]): void {
    this.#exit.reject(new EngineError(failure, 500, "no space left"));
  }
}

/** The trailer that `hold` writes behind a stream. */
export function trailerOf({ kind = "exited", value = 0, oomKills = 0 }: Ending = {}): Buffer {
  const numbers = Buffer.alloc(12);
  numbers.writeUInt32LE(["exited", "signalled", "not_started"].indexOf(kind), 0);
  numbers.writeUInt32LE(value, 4);
  numbers.writeUInt32LE(oomKills, 8);
  return Buffer.concat([nonce, numbers]);
}
