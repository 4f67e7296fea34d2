import { LongshoreError, type Revision } from "@longshore/protocol";
import { type Clock, pause } from "../clock.ts";
import type { Logger } from "../log.ts";
import type { Contract, RunningInstance, StartPlan } from "./contract.ts";
import { handlerOf, lambdaEnvironment } from "./lambda/environment.ts";
import { Freezer } from "./lambda/freezer.ts";
import { type LambdaCourier, LambdaRun } from "./lambda/lambda-run.ts";
import type { RuntimeApi } from "./lambda/runtime-api.ts";
import { InitFailure, RuntimeSession } from "./lambda/runtime-session.ts";

const mebibyte = 2 ** 20;
/** Lambda's own limit for an event and for a result that is not streamed. */
const usualPayloadMaxBytes = 6 * mebibyte;
/** An instance with nothing to do goes on for so long, so that calls in a row find it running. */
const restMs = 500;
/**
 * A client whose poll ran out of time while it was frozen closes it as soon as it can; that long it is given to. What is delivered into
 * a poll that is closed unread all the same is delivered again (L1).
 */
const settleMs = 5;
/** Extensions hear of the end that long before it comes, as in Lambda. */
const shutdownMs = 2_000;

export interface LambdaContractOptions {
  readonly api: RuntimeApi;
  readonly clock: Clock;
  readonly log: Logger;
  /** Random bytes, for names of log streams. */
  readonly randomBytes: (length: number) => Uint8Array;
}

/** What the contract keeps of one instance. */
interface Connection {
  readonly session: RuntimeSession;
  readonly freezer: Freezer;
  run: LambdaRun | undefined;
}

/**
 * Images built for AWS Lambda: their runtime polls the Runtime API for work. One invocation at a time; between invocations the instance
 * is frozen. See contracts.md for each rule.
 */
export function createLambdaContract(options: LambdaContractOptions): Contract {
  const { api, clock } = options;
  return {
    name: "lambda",

    plan(revision, image): StartPlan {
      const runtimeApi = api.addressOn(revision.spec.network);
      if (runtimeApi === undefined) throw new LongshoreError("instance_start_failed", `Cannot start instance of "${revision.functionName}": this agent's host has no address on the functions' networks, so that the Runtime API cannot be served`, { phase: "startup" });
      const hex = Buffer.from(options.randomBytes(16)).toString("hex");
      const logStream = `${new Date(clock.wallMs()).toISOString().slice(0, 10).replaceAll("-", "/")}/[${revision.revision}]${hex}`;
      return { mode: "become", port: undefined, env: lambdaEnvironment({ revision, image, runtimeApi, logStream }) };
    },

    async ready(instance, signal) {
      const { session } = connect(instance, options);
      const limit = new Promise<never>((_resolve, reject) => {
        const late = () => reject(startFailure(instance, `its runtime did not ask for work within ${instance.revision.spec.startTimeoutMs} ms`));
        if (signal.aborted) late();
        else signal.addEventListener("abort", late, { once: true });
      });
      limit.catch(() => undefined);
      try {
        await Promise.race([session.initialised, limit]);
      } catch (error) {
        throw error instanceof InitFailure ? startFailure(instance, error.message) : error;
      }
    },

    invoke(instance, call, answer) {
      const run = new LambdaRun(courier(instance, options), call, answer);
      queueMicrotask(() => run.begin()); // The caller first gets its handle.
      return run;
    },

    async stopping(instance) {
      if (instance.connection === undefined) return;
      const { session, freezer, run } = connectionOf(instance);
      session.shutDown(run?.isAborted === true ? "timeout" : "spindown", clock.wallMs() + shutdownMs);
      await freezer.wake()?.catch(() => undefined); // A frozen process hears no signal.
    },

    release(instance) {
      if (instance.connection === undefined) return;
      const { session } = connectionOf(instance);
      api.unregister(instance.address.ip, session);
    },
  };
}

function connect(instance: RunningInstance, { api, clock, log }: LambdaContractOptions): Connection {
  const { revision, instanceId } = instance;
  const session = new RuntimeSession({ functionName: revision.functionName, functionVersion: String(revision.revision), handler: handlerOf(revision) ?? "" });
  const freezer = new Freezer(instance.suspension, clock, restMs, (err) => log.warn({ err, instanceId }, "instance not frozen"));
  session.onRest = () => freezer.rest();
  const connection: Connection = { session, freezer, run: undefined };
  instance.connection = connection;
  api.register(instance.address.ip, session);
  void instance.exited.then(() => connection.run?.broke("The runtime exited", !session.forget(connection.run)));
  return connection;
}

function courier(instance: RunningInstance, { clock }: LambdaContractOptions): LambdaCourier {
  const connection = connectionOf(instance);
  const { session, freezer } = connection;
  return {
    revision: instance.revision,
    payloadMaxBytes: payloadMaxBytesOf(instance.revision),
    nowMs: () => clock.wallMs(),
    deliver(run) {
      connection.run = run;
      const waking = freezer.wake();
      session.offer(run, waking !== undefined);
      waking?.then(() => pause(clock, settleMs)).then(
        () => session.release(),
        () => run.broke("The instance could not be woken", !session.forget(run)),
      );
    },
    forget: (run) => void session.forget(run),
  };
}

function payloadMaxBytesOf({ spec }: Revision): number {
  return spec.payloadMaxBytes ?? usualPayloadMaxBytes;
}

function connectionOf(instance: RunningInstance): Connection {
  if (instance.connection === undefined) throw new Error(`Instance ${instance.instanceId} was never ready`);
  return instance.connection as Connection;
}

function startFailure({ revision }: RunningInstance, what: string): LongshoreError {
  return new LongshoreError("instance_start_failed", `Cannot start instance of "${revision.functionName}": ${what}`, { phase: "startup" });
}
