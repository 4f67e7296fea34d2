import { LongshoreError, type Revision } from "@longshore/protocol";
import type { Clock } from "../clock.ts";
import type { AnswerSink, Contract, ContractCall, ContractRun, RunningInstance, StartPlan } from "./contract.ts";
import { Connections } from "./http/connections.ts";
import { HttpExchange, http2Only } from "./http/exchange.ts";
import { probeUntilReady } from "./http/probe.ts";
import { awaitPort } from "./http/readiness.ts";

const defaultPort = 8080;

/**
 * Web servers on `$PORT`: Cloud Run, Knative, functions-framework, of-watchdog, any other. The agent stands in for the caller as a
 * proxy must; see contracts.md for each rule. The client is our own and not a library's, since it must say whether a byte was sent,
 * pass fields and bodies on as they stood, and cost little per invocation.
 */
export function createHttpContract(clock: Clock): Contract {
  return {
    name: "http",
    plan: planHttp,

    async ready(instance, signal) {
      const { ip, pid } = instance.address;
      const connections = connectionsOf(instance, clock);
      connections.adopt(await awaitPort({ ip, port: connections.port, pid }, clock, signal));
      const path = instance.revision.spec.startProbePath;
      if (path !== undefined) await probeUntilReady(connections, path, clock, signal);
    },

    invoke(instance, call, answer) {
      const connections = connectionsOf(instance, clock);
      if (connections.isHttp2) return refuse(answer, http2Only(), false);
      try {
        return begin(connections, call, answer);
      } catch (error) {
        return refuse(answer, LongshoreError.from(error, "Cannot pass on the request").at("admission"), true);
      }
    },

    release(instance) {
      connectionsOf(instance, clock).close();
    },
  };
}

function begin(connections: Connections, call: ContractCall, answer: AnswerSink): ContractRun {
  if (call.request.method === "CONNECT") throw new LongshoreError("bad_schema", "Cannot pass on the request: method CONNECT asks for a tunnel to elsewhere", { field: "method" });
  return new HttpExchange(connections, call, answer);
}

/** Port: explicit, else the one the image exposes, else 8080. The K_ variables are the Knative runtime contract's. */
function planHttp(revision: Revision): StartPlan {
  const { spec, image } = revision;
  const port = spec.port ?? (image.exposedPorts.length === 1 ? image.exposedPorts[0] : undefined) ?? defaultPort;
  return {
    mode: "become",
    port,
    env: [`PORT=${port}`, `K_SERVICE=${revision.functionName}`, `K_REVISION=${revision.revisionId}`, `K_CONFIGURATION=${revision.functionName}`],
  };
}

function connectionsOf(instance: RunningInstance, clock: Clock): Connections {
  instance.connection ??= new Connections(instance.address.ip, instance.plan.port ?? defaultPort, clock);
  return instance.connection as Connections;
}

/** A run that never was: the answer is there, later (the caller first gets its handle). */
function refuse(answer: AnswerSink, error: LongshoreError, reusable: boolean): ContractRun {
  queueMicrotask(() => answer.end({ kind: "refused", error, reusable }));
  return { write: () => true, endRequest: () => undefined, abort: () => undefined, pause: () => undefined, resume: () => undefined };
}
