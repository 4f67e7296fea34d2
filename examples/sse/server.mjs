import { createServer } from "node:http";
import { setTimeout } from "node:timers/promises";

const server = createServer(async (request, response) => {
  const count = Number(new URL(request.url, "http://localhost").searchParams.get("n") ?? 5);
  if (!Number.isInteger(count) || count < 1 || count > 3600) {
    response.writeHead(400).end("n must be a whole number from 1 to 3600\n");
    return;
  }
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  response.write(event(1));
  try {
    for (let id = 2; id <= count; id++) {
      await setTimeout(1000, undefined, { signal: gone.signal });
      response.write(event(id));
    }
    response.end();
  } catch {
    // The reader went away.
  }
});

function event(id) {
  return `id: ${id}\ndata: ${JSON.stringify({ time: new Date().toISOString() })}\n\n`;
}

server.listen(process.env.PORT ?? 8080);
process.on("SIGTERM", () => server.close());
