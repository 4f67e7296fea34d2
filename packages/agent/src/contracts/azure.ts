import type { Clock } from "../clock.ts";
import { EnvelopeRun } from "./azure/envelope-run.ts";
import { forwardsRequests } from "./azure/forwarding.ts";
import { routeOf } from "./azure/route.ts";
import type { Contract } from "./contract.ts";
import { createHttpContract } from "./http.ts";

/** The same as a lambda function's. */
const usualPayloadMaxBytes = 6 * 2 ** 20;

/**
 * Azure custom handlers: web servers on `$FUNCTIONS_CUSTOMHANDLER_PORT` that get each invocation in an envelope of JSON, or HTTP
 * requests as they are. Everything about the connection is the http contract's.
 */
export function createAzureContract(clock: Clock): Contract {
  const http = createHttpContract(clock);
  return {
    name: "azure",

    plan(revision, image) {
      const { port } = http.plan(revision, image);
      const env = ["CUSTOMHANDLER", "HTTPWORKER"].map((kind) => `FUNCTIONS_${kind}_PORT=${port}`); // The second is the name of old.
      return { mode: "become", port, env, forwardsRequests: forwardsRequests(revision, image) };
    },

    ready: (instance, signal) => http.ready(instance, signal),

    invoke(instance, call, answer) {
      const { revision, plan } = instance;
      if (plan.forwardsRequests === true && revision.spec.azureTrigger === undefined) {
        return http.invoke(instance, { ...call, request: { ...call.request, target: routeOf(call, revision).target } }, answer);
      }
      const handler = { revision, payloadMaxBytes: revision.spec.payloadMaxBytes ?? usualPayloadMaxBytes, nowMs: () => clock.wallMs(), send: http.invoke.bind(http, instance) };
      const run = new EnvelopeRun(handler, call, answer);
      queueMicrotask(() => run.begin()); // The caller first gets its handle.
      return run;
    },

    release: (instance) => http.release(instance),
  };
}
