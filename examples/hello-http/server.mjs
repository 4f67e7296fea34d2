import { createServer } from "node:http";
import { json } from "node:stream/consumers";

const server = createServer(async (request, response) => {
  const body = await json(request).catch(() => undefined);
  const answer = { message: `hello ${body?.name ?? "world"}`, site: process.env.LONGSHORE_SITE };
  response.setHeader("content-type", "application/json");
  response.end(`${JSON.stringify(answer)}\n`);
});

server.listen(process.env.PORT ?? 8080);
process.on("SIGTERM", () => server.close());
