import { type ImageFacts, LongshoreError, type Revision } from "@longshore/protocol";

/** The variable by which Azure overrides a host.json that has HTTP requests sent to its handler as they are. */
export const forwardingSetting = "AzureFunctionsJobHost__customHandler__enableForwardingHttpRequest";
/** A newer one, to the same end. */
const proxyingSetting = "AzureFunctionsJobHost__customHandler__enableProxyingHttpRequest";

/**
 * Whether HTTP requests go to the handler as they are. An image's host.json is inside its layers, so what counts is the environment
 * variable by which Azure overrides that file: the function's own, else the image's, else Azure's default, which is no. Throws
 * `instance_start_failed` for a value that is neither true nor false.
 */
export function forwardsRequests({ functionName, spec }: Revision, image: ImageFacts): boolean {
  const variables = [...Object.entries(spec.env), ...image.env.map(splitVariable)];
  return [forwardingSetting, proxyingSetting].some((setting) => {
    const [name, value] = variables.find(([each]) => each.toLowerCase() === setting.toLowerCase()) ?? [setting, "false"];
    if (/^(true|false)$/i.test(value)) return value.toLowerCase() === "true";
    throw new LongshoreError("instance_start_failed", `Cannot start instance of "${functionName}": ${name} is ${JSON.stringify(value.slice(0, 40))}, neither true nor false`, { phase: "startup" });
  });
}

function splitVariable(entry: string): [name: string, value: string] {
  const equals = entry.indexOf("=");
  return equals === -1 ? [entry, ""] : [entry.slice(0, equals), entry.slice(equals + 1)];
}
