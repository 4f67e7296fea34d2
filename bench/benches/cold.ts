import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { bareProcessToFirstAnswer, dockerRunToFirstAnswer, dockerRunToFirstPoll, onReferenceNetwork, type ReferenceNetwork } from "../docker-run.ts";
import { nodeImage, nodeServer, serverFile, staticImage } from "../images.ts";
import { lambdaImage } from "../../test/support/lambda-functions.ts";
import { interleave, timeMs } from "../measure.ts";
import { type BenchResult, compare } from "../result.ts";
import type { Rig } from "../rig.ts";

const rounds = 9;
/** As much processor time as the references have. */
const wholeMachine = availableParallelism() * 1000;

/** One first answer of an image with nothing begun: a fresh function each time, so that nothing is warm. */
function firstAnswer(rig: Rig, image: string, siteId: string, held: number, contract: "http" | "lambda" = "http"): () => Promise<number> {
  let count = 0;
  return async () => {
    count += 1;
    const name = `bench-${siteId}-${process.pid}-${count}`;
    await rig.deployReady({ name, image, contract, ...(contract === "http" && { port: 8080 }), cpuMillis: wholeMachine }, siteId, held);
    let kind: string | undefined;
    const elapsed = await timeMs(async () => {
      const answer = await rig.fleet.call(name, undefined, contract === "http" ? { method: "GET" } : {});
      await answer.bytes();
      kind = answer.start;
    });
    if (kind !== (held > 0 ? "held" : "cold")) throw new Error(`Expected a ${held > 0 ? "held" : "cold"} start, got ${kind ?? "none"}`);
    await rig.fleet.remove(name);
    return elapsed;
  };
}

/** `cold`: a Node web server image, none begun, one held, against `docker run` and against the bare process. */
export async function cold(rig: Rig): Promise<BenchResult> {
  const image = await nodeImage();
  const folder = await mkdtemp(join(tmpdir(), "longshore-bench-"));
  await writeFile(serverFile(folder), nodeServer);
  try {
    const figures = await onReferenceNetwork((network) =>
      interleave(rounds, {
        ours: firstAnswer(rig, image, "main", 1),
        run: () => dockerRunToFirstAnswer(image, network),
        bare: () => bareProcessToFirstAnswer(process.execPath, [serverFile(folder)], 48_080),
      }),
    );
    const result = compare("cold", "ms", figures.ours, { "docker run": figures.run, "bare process": figures.bare }, { bound: 0.2, better: "lower" });
    return { ...result, met: result.met && (result.ratios?.["bare process"] ?? 9) <= 1.2, goal: "≤ 0.20; ≤ 1.2 of bare" };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** `cold-static`: the same with a static web server. */
export async function coldStatic(rig: Rig): Promise<BenchResult> {
  const image = await staticImage();
  return againstDockerRun("cold-static", 0.05, firstAnswer(rig, image, "main", 1), (network) => dockerRunToFirstAnswer(image, network));
}

/** `cold-lambda`: an image with AWS's runtime client, against `docker run` of the same until it first asks for work. */
export async function coldLambda(rig: Rig): Promise<BenchResult> {
  const image = await lambdaImage();
  return againstDockerRun("cold-lambda", 0.3, firstAnswer(rig, image, "main", 1, "lambda"), (network) => dockerRunToFirstPoll(image, network));
}

/** `cold-plain`: nothing held, image present. */
export async function coldPlain(rig: Rig): Promise<BenchResult> {
  const image = await nodeImage();
  return againstDockerRun("cold-plain", 1, firstAnswer(rig, image, "plain", 0), (network) => dockerRunToFirstAnswer(image, network));
}

async function againstDockerRun(name: string, bound: number, ours: () => Promise<number>, run: (network: ReferenceNetwork) => Promise<number>): Promise<BenchResult> {
  const figures = await onReferenceNetwork((network) => interleave(rounds, { ours, run: () => run(network) }));
  return compare(name, "ms", figures.ours, { "docker run": figures.run }, { bound, better: "lower" });
}
