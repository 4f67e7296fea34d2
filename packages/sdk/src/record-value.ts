import type { InvocationRecord } from "@longshore/protocol";
import { isWholeAnswer } from "./answer.ts";
import { InvocationError } from "./error.ts";
import type { HttpClient } from "./http-client.ts";
import { decodeBody } from "./invoke.ts";
import { invocationPath } from "./look.ts";
import { persist } from "./persist.ts";

const nothing = new Uint8Array(0);

/** The value that `invoke` would have given for an invocation that ended; throws as `invoke` does, and `result_not_kept`. */
export async function valueOfRecord(http: HttpClient, record: InvocationRecord, signal: AbortSignal | undefined): Promise<unknown> {
  const { functionName, invocationId, result, siteId, agentId, resultHeaders: headers = [] } = record;
  const hasSucceeded = result.outcome === "succeeded" && (result.status ?? 200) < 400;
  const isWanted = record.resultBytes > 0 && isWholeAnswer(result) && (hasSucceeded || record.resultKept);
  const request = { method: "GET", path: `${invocationPath(invocationId)}/result`, accept: "*/*", signal } as const;
  const body = isWanted ? await persist(() => http.bytes(request), { withinMs: () => Infinity, signal }) : nothing;
  if (hasSucceeded) return decodeBody(functionName, { headers }, body);
  throw new InvocationError({ functionName, invocationId, result, status: result.status, siteId, agentId, body });
}
