import { AwsError } from "./aws-error.ts";

/** What AWS's Lambda API is asked here. */
export type AwsOperation =
  | { readonly operation: "invoke" | "invokeStream" | "getFunction" | "getConfiguration"; /** Raw. */ readonly function: string }
  | { readonly operation: "listFunctions" };

const versions = ["/2015-03-31/", "/2021-11-15/"];

/** True for the paths of AWS's Lambda API, those too that are not answered here: other dated ones are nobody's. */
export function isAwsPath(path: string): boolean {
  return /^\/20\d\d-\d\d-\d\d\//.test(path);
}

/** Which operation a request means; throws an AwsError for those that are not here. */
export function matchAwsOperation(method: string, path: string): AwsOperation {
  const version = versions.find((candidate) => path.startsWith(candidate));
  const [resource, name, action, ...rest] = version === undefined ? [] : path.slice(version.length).split("/");
  if (resource === "functions" && rest.length === 0) {
    const isCurrent = version === versions[0];
    if (isCurrent && method === "GET" && (name === undefined || name === "") && action === undefined) return { operation: "listFunctions" };
    if (name !== undefined && name !== "") {
      if (isCurrent && method === "POST" && action === "invocations") return { operation: "invoke", function: name };
      if (isCurrent && method === "GET" && action === undefined) return { operation: "getFunction", function: name };
      if (isCurrent && method === "GET" && action === "configuration") return { operation: "getConfiguration", function: name };
      if (!isCurrent && method === "POST" && action === "response-streaming-invocations") return { operation: "invokeStream", function: name };
    }
  }
  throw new AwsError("UnknownOperationException", 404, "This operation is not here: functions are invoked, read and listed by AWS's API, and deployed by `longshore deploy`");
}
