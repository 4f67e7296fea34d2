import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rm } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { KeptStreams } from "../bus/kept-streams.ts";
import type { StreamSettings } from "../bus/stored-message.ts";
import { formatMessageLine, parseMessageLine } from "./message-line.ts";
import { StandingMessages } from "./standing-messages.ts";

/** What was written, as the manifest tells of it. */
export interface Spooled {
  readonly messages: number;
  readonly sizeBytes: number;
  readonly sha256: string;
}

const linesAtOnce = 256;

/** Writes what stands in a stream at one moment into a file, a message a line. Twice its size is needed on disk meanwhile. */
export async function spoolStream(streams: KeptStreams, settings: StreamSettings, file: string): Promise<Spooled> {
  const standing = new StandingMessages(settings);
  const raw = `${file}.raw`;
  await writing(raw, (write) =>
    streams.read(settings.name, async (messages) => {
      for (const message of messages) standing.read(message);
      await write(messages.map(formatMessageLine).join(""));
    }),
  );
  const spooled = await keepStanding(raw, file, standing);
  await rm(raw);
  return spooled;
}

async function keepStanding(raw: string, file: string, standing: StandingMessages): Promise<Spooled> {
  const hash = createHash("sha256");
  let messages = 0;
  let sizeBytes = 0;
  await writing(file, async (write) => {
    let lines: string[] = [];
    const flush = async () => {
      const bytes = Buffer.from(lines.join(""));
      lines = [];
      hash.update(bytes);
      sizeBytes += bytes.length;
      await write(bytes);
    };
    for await (const line of createInterface({ input: createReadStream(raw), crlfDelay: Infinity })) {
      if (!standing.stands(parseMessageLine(line))) continue;
      messages += 1;
      if (lines.push(`${line}\n`) === linesAtOnce) await flush();
    }
    await flush();
  });
  return { messages, sizeBytes, sha256: hash.digest("hex") };
}

async function writing(file: string, work: (write: (data: string | Uint8Array) => Promise<void>) => Promise<void>): Promise<void> {
  const handle = await open(file, "wx", 0o600);
  try {
    await work((data) => handle.writeFile(data)); // Each goes on where the last one ended.
  } finally {
    await handle.close();
  }
}
