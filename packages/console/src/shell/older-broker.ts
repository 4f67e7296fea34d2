import { LongshoreError } from "@longshore/sdk";

/** What was asked for, or undefined where the broker is older and knows of no such thing. */
export async function unlessUnknown<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof LongshoreError && (error.reason === "route_not_found" || error.reason === "method_not_allowed")) return undefined;
    throw error;
  }
}
