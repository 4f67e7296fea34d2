/** A program of its own that maps inputs over a function and writes each answer as a line of JSON, then one of totals. Arguments: the broker's address, the function, how many. */
import { once } from "node:events";
import { createFleet } from "@longshore/sdk";

const [url = "", name = "", words = ""] = process.argv.slice(2);
const count = Number(words);
const fleet = createFleet({ url });
let progress: { readonly accepted: number; readonly failed: number } | undefined;
let residentBytes = 0;

function* inputs(): Generator<string> {
  for (let index = 0; index < count; index += 1) yield `input ${index}`;
}

for await (const { index, value } of fleet.map<string>(name, inputs(), { mapId: "ten-thousand", concurrency: 200, onProgress: (told) => (progress = told) })) {
  residentBytes = Math.max(residentBytes, process.memoryUsage.rss());
  if (!process.stdout.write(`${JSON.stringify({ index, value: new TextDecoder().decode(value as Uint8Array) })}\n`)) await once(process.stdout, "drain");
}
process.stdout.write(`${JSON.stringify({ done: true, ...progress, residentBytes })}\n`);
await fleet.close();
