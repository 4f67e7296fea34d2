/**
 * The process that takes down what actors tell, on a port of its own host (first argument: the port): a line of JSON to stdout for each word, and one when
 * the connection of a run that did not say how it ended closes. A word is answered once its line is written.
 */
import { createServer } from "node:net";
import { createInterface } from "node:readline";

const write = (word: object) => new Promise<void>((resolve) => process.stdout.write(`${JSON.stringify(word)}\n`, () => resolve()));

const server = createServer((socket) => {
  let run: { readonly runId: string; readonly invocationId: string } | undefined;
  let hasEnded = false;
  const from = socket.remoteAddress;
  socket.setNoDelay(true);
  socket.on("error", () => undefined);
  socket.on("close", () => {
    if (run !== undefined && !hasEnded) void write({ word: "ended", how: "killed", ...run, nanoseconds: String(process.hrtime.bigint()) });
  });
  const lines = createInterface({ input: socket }).on("error", () => undefined); // A run that was killed resets its connection.
  lines.on("line", (line) => {
    const word = JSON.parse(line) as { word: string; runId: string; invocationId: string };
    run = { runId: word.runId, invocationId: word.invocationId };
    hasEnded ||= word.word === "ended";
    void write({ ...word, from }).then(() => socket.write("taken\n"));
  });
});
server.listen(Number(process.argv[2]), "0.0.0.0", () => void write({ word: "listening" }));
