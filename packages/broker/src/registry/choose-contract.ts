import { type ContractName, type FunctionDocument, type ImageFacts, LongshoreError } from "@longshore/protocol";

/** How an image will be talked to, and why. */
export interface ContractChoice {
  readonly contract: ContractName;
  /** http, azure: the port that the image's server is to listen on. */
  readonly port: number | undefined;
  /** For people. */
  readonly because: string;
}

/** The parts of a function document that decide about its contract. */
export type ContractWishes = Pick<FunctionDocument, "name" | "contract" | "port" | "env" | "command" | "args" | "profile">;

const defaultPort = 8080;
/** Where Microsoft's host listens in a full Azure Functions image. */
const azureHostPort = 80;

/**
 * Decides how to talk to an image (contracts.md): what the document says, else the image's label, what its environment and entrypoint
 * show, the ports it exposes, else stdin to stdout. Throws `ambiguous_port`, `image_has_no_command`, `bad_schema` naming `image`
 * for a label or a config that makes no sense, or `image_runs_as_root` under the strict profile.
 */
export function chooseContract(wishes: ContractWishes, image: ImageFacts): ContractChoice {
  refuseFaults(wishes, image);
  refuseWithoutCommand(wishes, image);
  refuseRoot(wishes, image);
  const recognised = recognise(wishes, image);
  return { contract: recognised.contract, because: recognised.because, port: choosePort(wishes, image, recognised) };
}

interface Recognised {
  readonly contract: ContractName;
  readonly because: string;
  /** The port of images of this kind, where several are exposed or none. */
  readonly usualPort?: number;
}

function recognise({ contract }: ContractWishes, image: ImageFacts): Recognised {
  if (contract !== undefined && contract !== "auto") return { contract, because: "the function's document says so" };
  return byLabel(image) ?? byLambda(image) ?? byAzure(image) ?? byServer(image) ?? byPorts(image);
}

function byLabel({ labels }: ImageFacts): Recognised | undefined {
  const label = labels["longshore.contract"];
  if (label === undefined || label === "auto") return undefined;
  if (label === "http" || label === "stdio" || label === "lambda" || label === "azure") return { contract: label, because: "the image's label longshore.contract says so" };
  throw new LongshoreError("bad_schema", `Cannot use the image: its label longshore.contract is ${JSON.stringify(label.slice(0, 40))}, none of http, stdio, lambda, azure`, { field: "image" });
}

function byLambda({ env, entrypoint }: ImageFacts): Recognised | undefined {
  const variable = env.map(nameOf).find((name) => name.startsWith("AWS_LAMBDA_") || name === "LAMBDA_TASK_ROOT");
  if (variable !== undefined) return { contract: "lambda", because: `the image sets ${variable}` };
  const program = entrypoint.find((part) => /(^|\/)(lambda-entrypoint\.sh|aws-lambda-ric|lambda)$/.test(part));
  return program === undefined ? undefined : { contract: "lambda", because: `the image's entrypoint is ${program}` };
}

function byAzure(image: ImageFacts): Recognised | undefined {
  const runtime = valueOf(image, "FUNCTIONS_WORKER_RUNTIME");
  if (runtime === undefined) return undefined;
  // Images made from Microsoft's have their host in front of the handler, whatever the handler is.
  const sign = valueOf(image, "AzureWebJobsScriptRoot") !== undefined ? "AzureWebJobsScriptRoot" : `FUNCTIONS_WORKER_RUNTIME=${runtime}`;
  if (runtime === "custom" && sign !== "AzureWebJobsScriptRoot") return { contract: "azure", because: `the image sets ${sign}` };
  return { contract: "http", because: `the image sets ${sign}, so that it carries the Functions host`, usualPort: azureHostPort };
}

/** Servers that listen where they are told, so that their images need expose no port. */
function byServer(image: ImageFacts): Recognised | undefined {
  if (valueOf(image, "fprocess") !== undefined) return { contract: "http", because: "the image sets fprocess, so that it carries a watchdog", usualPort: defaultPort };
  const variable = ["FUNCTION_TARGET", "FUNCTION_SIGNATURE_TYPE"].find((name) => valueOf(image, name) !== undefined);
  if (variable !== undefined) return { contract: "http", because: `the image sets ${variable}, so that it carries a functions framework`, usualPort: defaultPort };
  const program = [...image.entrypoint, ...image.command].find((part) => /(^|\/)functions[-_]framework(\.[a-z]+)?$/.test(part));
  if (program !== undefined) return { contract: "http", because: `the image runs ${program}`, usualPort: defaultPort };
  const port = valueOf(image, "PORT");
  return port !== undefined && isPort(port) ? { contract: "http", because: `the image sets PORT=${port}`, usualPort: Number(port) } : undefined;
}

function byPorts({ exposedPorts }: ImageFacts): Recognised {
  if (exposedPorts.length === 0) return { contract: "stdio", because: "the image exposes no port" };
  return { contract: "http", because: exposedPorts.length === 1 ? `the image exposes port ${exposedPorts[0]}` : `the image exposes ports ${exposedPorts.join(", ")}` };
}

function choosePort(wishes: ContractWishes, image: ImageFacts, { contract, usualPort }: Recognised): number | undefined {
  if (contract !== "http" && contract !== "azure") return undefined;
  const { name } = wishes;
  const wished = contract === "http" ? wishedPort(wishes) : wishes.port;
  if (wished !== undefined) return wished;
  const { exposedPorts } = image;
  const single = exposedPorts.length === 1 ? exposedPorts[0] : undefined;
  const chosen = portOfLabel(image) ?? single;
  if (chosen !== undefined) return chosen;
  // A custom handler listens where it is told, whatever its image exposes.
  if (contract === "azure" || exposedPorts.length === 0 || (usualPort !== undefined && exposedPorts.includes(usualPort))) return usualPort ?? defaultPort;
  throw new LongshoreError("ambiguous_port", `Cannot deploy "${name}": its image exposes ports ${exposedPorts.join(", ")}; set port to one of them`, { field: "port" });
}

/** The document's word: its port, or `PORT` in its environment, by which many images are told. */
function wishedPort({ name, port, env }: ContractWishes): number | undefined {
  const text = env?.["PORT"];
  if (text === undefined) return port;
  if (!isPort(text)) throw new LongshoreError("bad_schema", `Cannot deploy "${name}": env.PORT is ${JSON.stringify(text.slice(0, 40))}, no port`, { field: "env.PORT" });
  if (port === undefined || port === Number(text)) return Number(text);
  throw new LongshoreError("ambiguous_port", `Cannot deploy "${name}": its port is ${port} and its env.PORT is ${text}; leave one of them out`, { field: "port" });
}

function portOfLabel({ labels }: ImageFacts): number | undefined {
  const label = labels["longshore.port"];
  if (label === undefined) return undefined;
  if (isPort(label)) return Number(label);
  throw new LongshoreError("bad_schema", `Cannot use the image: its label longshore.port is ${JSON.stringify(label.slice(0, 40))}, no port`, { field: "image" });
}

function isPort(text: string): boolean {
  return /^[1-9]\d{0,4}$/.test(text) && Number(text) <= 65_535;
}

function refuseFaults({ name }: ContractWishes, { faults }: ImageFacts): void {
  if (faults.length === 0) return;
  throw new LongshoreError("bad_schema", `Cannot deploy "${name}": its image's config is malformed: ${faults.slice(0, 3).join("; ")}`, { field: "image" });
}

function refuseWithoutCommand({ name, command, args }: ContractWishes, image: ImageFacts): void {
  const program = [...(command ?? image.entrypoint), ...(args ?? image.command)];
  if ((program[0] ?? "") !== "") return;
  throw new LongshoreError("image_has_no_command", `Cannot deploy "${name}": its image has neither entrypoint nor command; set command`, { field: "command" });
}

function refuseRoot({ name, profile }: ContractWishes, { user }: ImageFacts): void {
  if (profile !== "strict") return;
  const [person = ""] = user.split(":");
  if (person !== "" && person !== "root" && !/^[+-]?0+$/.test(person)) return;
  throw new LongshoreError("image_runs_as_root", `Cannot deploy "${name}" under profile "strict": its image runs as root; give it a USER that is not root, or deploy it under profile "standard"`, { field: "profile" });
}

/** The value of a variable of the image's environment. */
function valueOf({ env }: ImageFacts, name: string): string | undefined {
  return env.find((entry) => nameOf(entry) === name)?.slice(name.length + 1);
}

const nameOf = (entry: string) => entry.split("=", 1)[0] ?? "";
