import { LongshoreError } from "@longshore/protocol";
import type { Answer } from "../fleet.ts";

/**
 * The chunks of an answer. One that breaks off because its program failed ends where it broke: what became of it is told by the answer's
 * result. Throws what broke it when that is not known, or when it was not the program.
 */
export async function* answerChunks({ body, result }: Answer): AsyncIterable<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    if (!(error instanceof LongshoreError) || error.code === "cancelled") throw error;
    const told = await result.catch(() => undefined);
    if (told === undefined || told.outcome === "succeeded") throw error;
  }
}
