import { LongshoreError } from "@longshore/protocol";
import { createHash, type Hash } from "node:crypto";
import type { BodyOwner, StoredBody } from "./body-store.ts";

/** What a body comes to, counted as it passes. */
export class BodyCount {
  readonly #hash: Hash = createHash("sha256");
  byteLength = 0;

  add(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.byteLength += bytes.length;
  }

  /** Once all of it has passed. */
  sha256(): string {
    return this.#hash.digest("base64url");
  }
}

/** Passes parts on and throws `body_lost` where they do not come to what they must: a part never passes for the whole. */
export async function* checkedBody(parts: AsyncIterable<Uint8Array>, owner: BodyOwner, body: StoredBody): AsyncGenerator<Uint8Array, void> {
  const count = new BodyCount();
  for await (const part of parts) {
    count.add(part);
    if (count.byteLength > body.byteLength) throw lost(owner, `it has more than its ${body.byteLength} bytes`);
    yield part;
  }
  if (count.byteLength < body.byteLength) throw lost(owner, `${count.byteLength} of its ${body.byteLength} bytes are there`);
  if (count.sha256() !== body.sha256) throw lost(owner, "its digest is another");
}

function lost({ kind, invocationId }: BodyOwner, why: string): LongshoreError {
  return new LongshoreError("body_lost", `Cannot read the ${kind} of invocation ${invocationId}: ${why}`);
}
