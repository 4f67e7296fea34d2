import { z } from "zod";
import { invocationRecordSchema, outcomes } from "./invocation.ts";
import { functionNameSchema } from "./names.ts";

const maxUrlCharacters = 2_048;

/**
 * An address that webhooks are sent to: `http` or `https`, a host, no user, no fragment, at most 2,048 characters. Which addresses a host may
 * stand for is the broker's affair, at each delivery.
 */
export const webhookUrlSchema = z
  .string()
  .max(maxUrlCharacters, `must have at most ${maxUrlCharacters} characters`)
  .superRefine((text, context) => {
    const fault = faultOfUrl(text);
    if (fault !== undefined) context.addIssue({ code: "custom", message: fault });
  });

/** What keeps a text from being a webhook's address. Stricter than a parser, which forgives spaces, backslashes and missing slashes. */
function faultOfUrl(text: string): string | undefined {
  if (!/^[\x21-\x7e]*$/.test(text) || text.includes("\\")) return "must be a URL of printable ASCII, with other characters encoded";
  if (!/^https?:\/\//i.test(text)) return "must begin with http:// or https://";
  const authority = /^[^/?#]*/.exec(text.slice(text.indexOf("//") + 2))?.[0] ?? "";
  if (authority.includes("@")) return "must have no user or password";
  if (text.includes("#")) return "must have no fragment";
  if (authority === "" || authority.startsWith(":")) return "must have a host";
  return URL.canParse(text) ? undefined : "must be a URL";
}

/** Where it is told what became of an invocation. */
export const destinationSchema = z.union(
  [
    /** By an HTTP POST; signed with the tenant's own secret, or with that secret of the function's. */
    z.strictObject({ url: webhookUrlSchema, secretName: z.string().min(1).max(255).optional() }),
    /** By an invocation of a function of the same tenant. */
    z.strictObject({ function: functionNameSchema }),
  ],
  { error: 'must be { "url": "https://…" }, with a secretName or without, or { "function": "name" }' },
);
export type Destination = z.output<typeof destinationSchema>;
export type WebhookDestination = Extract<Destination, { url: string }>;

/** Destinations of a function, or of one invocation. `onFailure`: of every outcome but `succeeded`. */
export const destinationsSchema = z.strictObject({ onSuccess: destinationSchema.optional(), onFailure: destinationSchema.optional() });
export type Destinations = z.output<typeof destinationsSchema>;

const secretMark = "whsec_";
const [minSecretBytes, maxSecretBytes] = [24, 64];

/** The key of a webhook secret (Standard Webhooks 1.0: `whsec_`, then 24 to 64 bytes in base64); undefined for a text that is none. */
export function webhookKeyOf(secret: string): Uint8Array<ArrayBuffer> | undefined {
  const base64 = secret.slice(secretMark.length);
  if (!secret.startsWith(secretMark) || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64) || base64.length % 4 !== 0) return undefined;
  const key = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return key.length >= minSecretBytes && key.length <= maxSecretBytes ? key : undefined;
}

/** A key as people carry it. */
export function webhookSecretOf(key: Uint8Array): string {
  return secretMark + btoa(String.fromCharCode(...key));
}

/** What a tenant's webhooks are signed with. */
export const webhookSecretSchema = z.object({
  /** `whsec_…` */
  secret: z.string(),
  createdAt: z.string(),
  /** Until then webhooks are signed with the secret before it as well; absent: with this one alone. */
  previousUntil: z.string().optional(),
});
export type WebhookSecret = z.infer<typeof webhookSecretSchema>;

/** The body of a webhook. */
export const webhookEventSchema = z.object({
  type: z.templateLiteral(["invocation.", z.enum(outcomes)]),
  /** When the invocation ended, RFC 3339. */
  timestamp: z.string(),
  data: z.object({
    /** Of the answer's headers those that describe its body. */
    record: invocationRecordSchema,
    /** The answer's body; absent where it is not kept or over 64 KiB: `GET /v1/invocations/{id}/result` has it while it is kept. */
    body: z.union([z.object({ text: z.string() }), z.object({ base64: z.string() })]).optional(),
  }),
});
export type WebhookEvent = z.infer<typeof webhookEventSchema>;
