import { type FunctionName, functionNameSchema } from "@longshore/protocol";
import { AwsError } from "./aws-error.ts";

/** AWS's account number, where there is no account. */
const account = "000000000000";
const region = "us-east-1";

/** Which function a path or parameter means. */
export interface FunctionReference {
  readonly name: FunctionName;
  /** `$LATEST`, a revision's number or its id; undefined when it is not said. */
  readonly qualifier: string | undefined;
}

/** A name, `name:qualifier`, a partial ARN (`000000000000:function:name`) or a whole one. Whose account and region they name is of no account here. */
const pattern = /^(?:arn:aws[\w-]*:lambda:)?(?:[a-z]{2}(?:-[a-z]+)+-\d+:)?(?:\d{12}:)?(?:function:)?([\w-]+)(?::(\$LATEST|[\w-]+))?$/;

/** Reads a part of a path and the `Qualifier` beside it; throws an AwsError naming what it cannot read. */
export function readFunctionReference(part: string, parameter: string | null): FunctionReference {
  const text = decode(part);
  const [, name, own] = pattern.exec(text) ?? [];
  const parsed = functionNameSchema.safeParse(name);
  if (!parsed.success) throw invalid("functionName", text, "a name of 1 to 50 of a-z, 0-9 and -, or an ARN that ends in one");
  if (parameter !== null && !/^(\$LATEST|[\w-]{1,128})$/.test(parameter)) throw invalid("qualifier", parameter, "$LATEST or a revision");
  if (parameter !== null && own !== undefined && own !== parameter) {
    throw new AwsError("InvalidParameterValueException", 400, "The derived qualifier from the function name does not match the specified qualifier.");
  }
  return { name: parsed.data, qualifier: parameter ?? own };
}

/** The name by which AWS's clients know a function. */
export function functionArn(name: string, qualifier?: string): string {
  return `arn:aws:lambda:${region}:${account}:function:${name}${qualifier === undefined ? "" : `:${qualifier}`}`;
}

/** There is none of that name, or no such revision of it. */
export function functionNotFound({ name, qualifier }: { readonly name: string; readonly qualifier: string | undefined }): AwsError {
  return new AwsError("ResourceNotFoundException", 404, `Function not found: ${functionArn(name, qualifier)}`);
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw invalid("functionName", part, "percent-encoded UTF-8");
  }
}

function invalid(field: string, value: string, expected: string): AwsError {
  return new AwsError("ValidationException", 400, `Value ${JSON.stringify(value.slice(0, 140))} at '${field}' failed to satisfy constraint: expected ${expected}`);
}
