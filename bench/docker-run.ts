import { execFile, spawn } from "node:child_process";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Runs the `docker` command; the reference that people would use themselves. */
export async function docker(...args: string[]): Promise<string> {
  return (await run("docker", args)).stdout.trim();
}

/** One try: the body, or undefined when nothing answers yet. */
function tryOnce(url: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const outgoing = request(url, { agent: false, timeout: 1000 }, (incoming) => {
      let text = "";
      incoming.on("data", (part: Buffer) => (text += part.toString()));
      incoming.on("end", () => { resolve(text); });
    });
    outgoing.on("error", () => { resolve(undefined); });
    outgoing.end();
  });
}

/** Polls without pause until the address answers. */
export async function untilAnswer(url: string): Promise<void> {
  while ((await tryOnce(url)) === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Where references run. */
export interface ReferenceNetwork {
  readonly name: string;
  /** The container's. */
  readonly address: string;
  /** The host's. */
  readonly gateway: string;
}

/** Measures on a bridge network for the references, with addresses that are known beforehand, outside the ranges that an engine takes by itself. */
export async function onReferenceNetwork<T>(measure: (network: ReferenceNetwork) => Promise<T>): Promise<T> {
  const name = `longshore-bench-${process.pid}`;
  await docker("network", "create", "--subnet", "10.250.250.0/24", name);
  try {
    return await measure({ name, address: "10.250.250.200", gateway: "10.250.250.1" });
  } finally {
    await docker("network", "rm", name);
  }
}

/** Milliseconds from `docker run -d` to the first answer of a web server image. */
export async function dockerRunToFirstAnswer(image: string, network: ReferenceNetwork): Promise<number> {
  const name = `longshore-bench-run-${process.pid}`;
  const start = performance.now();
  const running = docker("run", "-d", "--name", name, "--network", network.name, "--ip", network.address, image);
  running.catch(() => undefined);
  await untilAnswer(`http://${network.address}:8080/`);
  const elapsed = performance.now() - start;
  await running;
  await docker("rm", "-f", "-v", name);
  return elapsed;
}

/** Milliseconds from so many `docker run -d` at once to the last of their first answers. */
export async function dockerRunManyToLastAnswer(image: string, network: ReferenceNetwork, count: number): Promise<number> {
  const names = Array.from({ length: count }, (_, index) => `longshore-bench-run-${process.pid}-${index}`);
  const start = performance.now();
  await Promise.all(
    names.map(async (name) => {
      await docker("run", "-d", "--name", name, "--network", network.name, image);
      await untilAnswer(`http://${await addressOf(name)}:8080/`);
    }),
  );
  const elapsed = performance.now() - start;
  await docker("rm", "-f", "-v", ...names);
  return elapsed;
}

/** A running container's address on its network. */
export function addressOf(container: string): Promise<string> {
  return docker("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", container);
}

/** What Lambda sets, and a runtime client does not begin without. */
const lambdaEnvironment = ["_HANDLER=app.echo", "AWS_LAMBDA_FUNCTION_NAME=bench", "AWS_LAMBDA_FUNCTION_VERSION=1", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256", "AWS_LAMBDA_LOG_GROUP_NAME=bench", "AWS_LAMBDA_LOG_STREAM_NAME=bench", "AWS_REGION=us-east-1"];

/** Milliseconds from `docker run -d` of a lambda image to its runtime's first request for work; rejects when it ends without one. */
export async function dockerRunToFirstPoll(image: string, network: ReferenceNetwork): Promise<number> {
  const name = `longshore-bench-run-${process.pid}`;
  const polled = Promise.withResolvers<void>();
  const server = createServer(() => polled.resolve());
  await new Promise<void>((resolve) => server.listen(0, network.gateway, resolve));
  const { port } = server.address() as AddressInfo;
  const environment = [...lambdaEnvironment, `AWS_LAMBDA_RUNTIME_API=${network.gateway}:${port}`].flatMap((entry) => ["-e", entry]);
  try {
    const start = performance.now();
    const ended = docker("run", "-d", "--name", name, "--network", network.name, "--ip", network.address, ...environment, image).then(() => docker("wait", name));
    await Promise.race([polled.promise, ended.then(async () => Promise.reject(new Error(`The reference ended before it asked for work: ${await docker("logs", name)}`)))]);
    return performance.now() - start;
  } finally {
    server.closeAllConnections();
    server.close();
    await docker("rm", "-f", "-v", name);
  }
}

/** Milliseconds that `docker run -i --rm` of a command-line image takes, stdin to end of output and exit. */
export function dockerRunCommand(image: string, input: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn("docker", ["run", "-i", "--rm", image], { stdio: ["pipe", "pipe", "inherit"] });
    child.stdout.resume();
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(performance.now() - start);
      else reject(new Error(`docker run ended with ${code}`));
    });
    child.stdin.end(input);
  });
}

/** Milliseconds from starting a program on the host, bare, to its first answer. */
export async function bareProcessToFirstAnswer(executable: string, args: readonly string[], port: number): Promise<number> {
  const start = performance.now();
  const child = spawn(executable, args, { stdio: "ignore", env: { ...process.env, PORT: String(port) } });
  await untilAnswer(`http://127.0.0.1:${port}/`);
  const elapsed = performance.now() - start;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
  return elapsed;
}
