import type { FunctionDocument, Outcome } from "@longshore/protocol";
import { ensureImage } from "../../support/images/ensure-image.ts";

const mebibyte = 2 ** 20;

/** What an actor is asked to do: the body of its invocation. */
export interface Part {
  /** Told to ground truth as it stands here: the actor believes no one else about who it is. */
  readonly invocationId: string;
  /** The payload's marker of its tenant, told back with its answer. */
  readonly marker: string;
  readonly act: Act;
  /** How long before it does so. */
  readonly ms: number;
  /** Full stops behind its answer. */
  readonly padding: number;
}

/** What becomes of a part without any fault. `stubborn`: as `overtime`, and it ignores SIGTERM. */
export const acts = ["succeed", "fail", "exit", "eat", "overtime", "stubborn"] as const;
export type Act = (typeof acts)[number];
export const outcomeOf: Readonly<Record<Act, Outcome>> = { succeed: "succeeded", fail: "failed", exit: "failed", eat: "oom_killed", overtime: "timed_out", stubborn: "timed_out" };

/** The right answer to a part that succeeds, in brief. */
export const answerTo = ({ invocationId, marker, padding }: Pick<Part, "invocationId" | "marker" | "padding">) => briefly(`${marker} did ${invocationId}`, padding);

/** An answer as it stands in a history: its padding by number. */
export function briefAnswer(text: string): string {
  const words = text.replace(/\.+$/, "");
  return briefly(words, text.length - words.length);
}

const briefly = (words: string, padding: number) => (padding === 0 ? words : `${words} and ${padding} more`);

/**
 * It tells ground truth that it begins, and waits until that is taken down, before it does anything; and that it ends, before it
 * answers. The connection in between is its pulse: the kernel closes it with the process, however that ends.
 */
const program = `
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { connect } from "node:net";
import { hostname } from "node:os";

const contract = process.argv[2];
const [host, port] = process.env.GROUND_TRUTH.split(":");
let isStubborn = false;
process.on("SIGTERM", () => { if (!isStubborn) process.exit(143); });

function open(part) {
  const runId = randomUUID();
  const socket = connect(Number(port), host);
  let taken = () => undefined;
  socket.on("data", () => taken());
  socket.on("error", () => process.exit(97));
  const tell = (word) => new Promise((resolve) => {
    taken = resolve;
    socket.write(JSON.stringify({ ...word, runId, invocationId: part.invocationId, container: hostname(), contract, nanoseconds: String(process.hrtime.bigint()) }) + "\\n");
  });
  return { tell, close: () => socket.end() };
}

async function play(part) {
  const truth = open(part);
  await truth.tell({ word: "began" });
  await new Promise((resolve) => setTimeout(resolve, part.ms));
  switch (part.act) {
    case "fail":
    case "exit":
      await truth.tell({ word: "ended", how: "failed" });
      if (part.act === "exit" || contract === "stdio") { console.error("leaving as asked"); process.exit(3); }
      truth.close();
      return undefined;
    case "eat": {
      const eaten = [];
      for (;;) eaten.push(Buffer.alloc(8 << 20, 1));
    }
    case "stubborn":
      isStubborn = true;
    case "overtime":
      return new Promise(() => undefined);
  }
  const output = part.marker + " did " + part.invocationId;
  await truth.tell({ word: "ended", how: "succeeded", output: part.padding === 0 ? output : output + " and " + part.padding + " more" });
  truth.close();
  return output + ".".repeat(part.padding);
}

async function read(stream) {
  let text = "";
  for await (const part of stream) text += part;
  return JSON.parse(text);
}

if (contract === "stdio") {
  process.stdout.write(await play(await read(process.stdin)));
} else {
  const keepAlive = setInterval(() => undefined, 1_000_000);
  createServer(async (request, response) => {
    const output = await play(await read(request));
    response.writeHead(output === undefined ? 500 : 200).end(output ?? "failed as asked");
  }).listen(process.env.PORT ?? 8080);
}
`;

/** The rules of a function that actors play. */
export interface Stage {
  readonly name: string;
  readonly contract: "stdio" | "http";
  readonly idempotent: boolean;
  readonly retry: "default" | "never";
  /** Absent: as its pace has it. */
  readonly timeoutMs?: number;
}

/** Functions under both contracts and every rule of repetition. */
export const stages: readonly Stage[] = (["stdio", "http"] as const).flatMap((contract) => [
  { name: `once-${contract}`, contract, idempotent: false, retry: "never" },
  { name: `plain-${contract}`, contract, idempotent: false, retry: "default" },
  { name: `again-${contract}`, contract, idempotent: true, retry: "default" },
]);

export const stopGraceMs = 2_000;
/** Of one function at one agent: three agents share the processors of a host that each takes for its own. */
const mostInstances = 2;

/** A stage's document; `truth`: where ground truth is told. */
export async function documentOf({ name, contract, idempotent, retry, timeoutMs }: Stage, truth: string): Promise<FunctionDocument> {
  const image = await ensureImage("node", { files: { "/app/actor.mjs": { content: program } }, config: { exposed: [8080] } });
  return {
    name,
    image,
    contract,
    command: ["node", "/app/actor.mjs", contract],
    env: { GROUND_TRUTH: truth },
    idempotent,
    retry,
    concurrency: 1,
    maxInstancesPerAgent: mostInstances,
    memoryBytes: 96 * mebibyte,
    cpuMillis: 1_000,
    ...(timeoutMs !== undefined && { timeoutMs }),
    stopGraceMs,
    network: "site",
  };
}
