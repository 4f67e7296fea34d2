import { chunkBytes, type TenantId } from "@longshore/protocol";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { InvocationRequest, Invoker } from "../invocation/request.ts";
import { InvocationFront } from "./invocation-front.ts";
import { type InvocationHead, readInvocationHead } from "./invocation-request.ts";
import type { HttpLimits } from "./limits.ts";
import type { Destination } from "./router.ts";
import { announcedBytes, checkAnnounced, collectBody, readBody } from "./request-body.ts";

const nothing = new Uint8Array(0);

/** Takes an HTTP request as an invocation: small bodies go along with the order, others are streamed behind it. */
export async function invokeOverHttp(invoker: Invoker, limits: HttpLimits, incoming: IncomingMessage, response: ServerResponse, destination: Destination, tenantId: TenantId): Promise<void> {
  const head = readInvocationHead(incoming, destination, tenantId, limits);
  checkAnnounced(incoming, limits.bodyBytes);
  if (incoming.headers.expect !== undefined) response.writeContinue();
  const bytes = announcedBytes(incoming);
  const front = new InvocationFront(incoming, response, head.invocationId);
  if (bytes !== undefined && bytes <= chunkBytes) {
    const body = await collectBody(incoming, bytes, limits.bodyIdleMs);
    front.handle = invoker.invoke(invocation(head, body, false, bytes), front);
    return;
  }
  streamRequest(invoker, limits, incoming, response, front, invocation(head, nothing, true, bytes));
}

function invocation(head: InvocationHead, body: Uint8Array, more: boolean, bodyBytes: number | undefined): InvocationRequest {
  return { ...head, detach: false, upgrade: false, body, more, bodyBytes };
}

/** The body follows the order, as fast as the function takes it; an answer that comes before its end is passed on. */
function streamRequest(invoker: Invoker, limits: HttpLimits, incoming: IncomingMessage, response: ServerResponse, front: InvocationFront, request: InvocationRequest): void {
  const handle = invoker.invoke(request, front);
  front.handle = handle;
  const body = readBody(incoming, limits.bodyBytes, limits.bodyIdleMs, {
    data: (part) => handle.write(part),
    end: () => {
      handle.endRequest();
    },
    failed: (error) => {
      if (error.reason !== "body_incomplete") response.once("finish", () => incoming.destroy());
      front.fail(error);
      handle.cancel("abandoned");
    },
  });
  front.onDrain = () => {
    body.resume();
  };
  front.onOver = () => {
    body.stop();
  };
}
