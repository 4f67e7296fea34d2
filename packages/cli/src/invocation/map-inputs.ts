import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { UsageError } from "../command-line/usage-error.ts";

/** How the lines of an input are read: each as a JSON document, or as plain text. */
export type LineForm = "json" | "text";

/**
 * The inputs in a stream, one a line, taken no faster than they are read. JSON goes on as it stands, blank lines left out; of plain lines each
 * one counts. Throws UsageError naming the line that is no JSON.
 */
export async function* inputsOf(stream: Readable, form: LineForm, name: string): AsyncGenerator<string, void> {
  let number = 0;
  try {
    for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
      number += 1;
      if (form === "text") yield line;
      else if (line.trim() !== "") yield checkJson(line, number, name);
    }
  } finally {
    stream.destroy();
  }
}

/** Opens a file; throws UsageError where it cannot be read. */
export async function openInputs(path: string): Promise<Readable> {
  const stream = createReadStream(path);
  try {
    await new Promise((resolve, reject) => stream.once("open", resolve).once("error", reject));
  } catch (cause) {
    throw new UsageError(`Cannot read ${path}: ${(cause as Error).message.replace(/^[A-Z]+: /, "")}`);
  }
  return stream;
}

/** How many inputs a file has; all of them are checked. Throws as {@link inputsOf} does. */
export async function countInputs(path: string, form: LineForm): Promise<number> {
  let count = 0;
  for await (const _ of inputsOf(await openInputs(path), form, path)) count += 1;
  return count;
}

function checkJson(line: string, number: number, name: string): string {
  try {
    JSON.parse(line);
    return line;
  } catch {
    throw new UsageError(`Cannot read line ${number} of ${name}: it is not JSON`, "--lines takes each line as text");
  }
}
