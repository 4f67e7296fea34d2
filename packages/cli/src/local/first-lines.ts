import type { FunctionView } from "@longshore/protocol";
import type { RunningBroker } from "./parts.ts";

/** What a person should type to run this command again: `npx longshore` where npm runs us. */
export function programName(environment: NodeJS.ProcessEnv): string {
  return environment["npm_execpath"] === undefined ? "longshore" : "npx longshore";
}

/** Where a browser shows the fleet. */
export function consoleAddress({ url }: Pick<RunningBroker, "url">): string {
  return new URL("/", url).href;
}

/** Three lines that work on a fleet as it stands: one over HTTP, one with the CLI, one to look at it. */
export function firstLines(broker: RunningBroker, functions: readonly FunctionView[], environment: NodeJS.ProcessEnv): readonly string[] {
  const program = programName(environment);
  const [http, stdio] = [functions.find(({ contract }) => contract === "http"), functions.find(({ contract }) => contract === "stdio")];
  const curl = `curl${broker.caFile === undefined ? "" : ` --cacert ${broker.caFile}`}${broker.needsKey ? ' -H "Authorization: Bearer $LONGSHORE_KEY"' : ""}`;
  return [
    http === undefined ? `${curl} ${broker.url}/v1/sites` : `${curl} -d '{"name":"you"}' ${broker.url}/f/${http.name}/`,
    stdio === undefined ? `${program} deploy hello --image IMAGE && ${program} invoke hello` : `printf 'one two three four' | ${program} invoke ${stdio.name}`,
    `${program} agent ls`,
  ];
}

/** Environment that the lines need in another terminal; none for a loopback fleet at the usual address. */
export function connectionVariables(broker: RunningBroker, defaultUrl: string): readonly string[] {
  return [
    ...(broker.url === defaultUrl ? [] : [`LONGSHORE_URL=${broker.url}`]),
    ...(broker.caFile === undefined ? [] : [`LONGSHORE_CA=${broker.caFile}`]),
    ...(broker.needsKey ? [`LONGSHORE_KEY=${broker.apiKey ?? "the key that was shown when the fleet was made"}`] : []),
  ];
}
