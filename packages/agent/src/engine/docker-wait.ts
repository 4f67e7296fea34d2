import { containerPath, type DockerApi } from "./docker-api.ts";
import { EngineError } from "./engine.ts";
import { engineError } from "./failure.ts";
import { readJsonLines } from "./json-lines.ts";

/**
 * Waits, for as long as it takes, until a container is not running or is removed; resolves with its exit code. The answer's head
 * comes at once and its body at the end, so that a break in between is `unreachable`.
 */
export async function waitFor(api: DockerApi, id: string, condition: "not-running" | "removed", signal = new AbortController().signal): Promise<number> {
  const action = `Cannot wait for container "${id}"`;
  const body = await api.stream(action, { method: "POST", path: containerPath(id, "wait"), query: { condition } }, signal);
  try {
    for await (const answer of readJsonLines(body)) return (answer as { StatusCode: number }).StatusCode;
  } catch (error) {
    throw engineError(action, error);
  }
  throw new EngineError("unreachable", 0, `${action}: the engine ended the answer early`);
}
