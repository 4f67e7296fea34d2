import type { ImageFacts, Revision } from "@longshore/protocol";

const mebibyte = 2 ** 20;
const defaultRegion = "us-east-1";

/** What a revision's environment is made of. */
export interface EnvironmentFacts {
  readonly revision: Revision;
  readonly image: ImageFacts;
  /** `host:port` of the Runtime API. */
  readonly runtimeApi: string;
  /** Names the instance's output, as the log streams of Lambda do. */
  readonly logStream: string;
}

/**
 * The variables that Lambda documents for a container image, as `NAME=value`. Those that Lambda reserves are ours to set; of the others
 * (region, time zone, folders) whatever the image or the function's document says stands. Credentials are the function's own matter.
 */
export function lambdaEnvironment({ revision, image, runtimeApi, logStream }: EnvironmentFacts): string[] {
  const { spec, functionName } = revision;
  const handler = handlerOf(revision);
  const reserved = [
    `AWS_LAMBDA_RUNTIME_API=${runtimeApi}`,
    `AWS_LAMBDA_FUNCTION_NAME=${functionName}`,
    `AWS_LAMBDA_FUNCTION_VERSION=${revision.revision}`,
    `AWS_LAMBDA_FUNCTION_MEMORY_SIZE=${Math.floor(spec.memoryBytes / mebibyte)}`,
    `AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/${functionName}`,
    `AWS_LAMBDA_LOG_STREAM_NAME=${logStream}`,
    "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
    ...(handler === undefined ? [] : [`_HANDLER=${handler}`]),
  ];
  const region = regionOf(revision);
  const usual = [`AWS_REGION=${region}`, `AWS_DEFAULT_REGION=${region}`, "LAMBDA_TASK_ROOT=/var/task", "LAMBDA_RUNTIME_DIR=/var/runtime", "TZ=:UTC", "AWS_XRAY_CONTEXT_MISSING=LOG_ERROR"];
  const taken = new Set([...Object.keys(spec.env), ...image.env.map(nameOf)]);
  return [...reserved, ...usual.filter((entry) => !taken.has(nameOf(entry)))];
}

/** The region that the function's document names, or a usual one: clients of AWS services ask for it. */
export function regionOf({ spec }: Revision): string {
  return spec.env["AWS_REGION"] ?? spec.env["AWS_DEFAULT_REGION"] ?? defaultRegion;
}

/** The first argument of an image whose entrypoint is a bootstrap: the handler, by Lambda's convention. */
export function handlerOf({ spec, image }: Revision): string | undefined {
  const entrypoint = spec.command ?? image.entrypoint;
  const args = spec.args ?? (spec.command === undefined ? image.command : []);
  return entrypoint.length > 0 ? args[0] : undefined;
}

const nameOf = (entry: string): string => entry.split("=", 1)[0] ?? "";
