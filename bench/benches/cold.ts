import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { bareProcessToFirstAnswer, createReferenceNetwork, dockerRunToFirstAnswer, dockerRunToFirstPoll } from "../docker-run.ts";
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
  const network = await createReferenceNetwork();
  const folder = await mkdtemp(join(tmpdir(), "longshore-bench-"));
  await writeFile(serverFile(folder), nodeServer);
  try {
    const figures = await interleave(rounds, {
      ours: firstAnswer(rig, image, "main", 1),
      run: () => dockerRunToFirstAnswer(image, network),
      bare: () => bareProcessToFirstAnswer(process.execPath, [serverFile(folder)], 48_080),
    });
    const result = compare("cold", "ms", figures.ours, { "docker run": figures.run, "bare process": figures.bare }, { bound: 0.2, better: "lower" });
    return { ...result, met: result.met && (result.ratios?.["bare process"] ?? 9) <= 1.2, goal: "≤ 0.20; ≤ 1.2 of bare" };
  } finally {
    await network.close();
    await rm(folder, { recursive: true });
  }
}

/** `cold-static`: the same with a static web server. */
export async function coldStatic(rig: Rig): Promise<BenchResult> {
  const image = await staticImage();
  const network = await createReferenceNetwork();
  try {
    const figures = await interleave(rounds, { ours: firstAnswer(rig, image, "main", 1), run: () => dockerRunToFirstAnswer(image, network) });
    return compare("cold-static", "ms", figures.ours, { "docker run": figures.run }, { bound: 0.05, better: "lower" });
  } finally {
    await network.close();
  }
}

/** `cold-lambda`: an image with AWS's runtime client, against `docker run` of the same until it first asks for work. */
export async function coldLambda(rig: Rig): Promise<BenchResult> {
  const image = await lambdaImage();
  const network = await createReferenceNetwork();
  try {
    const figures = await interleave(rounds, { ours: firstAnswer(rig, image, "main", 1, "lambda"), run: () => dockerRunToFirstPoll(image, network) });
    return compare("cold-lambda", "ms", figures.ours, { "docker run": figures.run }, { bound: 0.3, better: "lower" });
  } finally {
    await network.close();
  }
}

/** `cold-plain`: nothing held, image present. */
export async function coldPlain(rig: Rig): Promise<BenchResult> {
  const image = await nodeImage();
  const network = await createReferenceNetwork();
  try {
    const figures = await interleave(rounds, { ours: firstAnswer(rig, image, "plain", 0), run: () => dockerRunToFirstAnswer(image, network) });
    return compare("cold-plain", "ms", figures.ours, { "docker run": figures.run }, { bound: 1, better: "lower" });
  } finally {
    await network.close();
  }
}
