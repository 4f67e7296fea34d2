import { type WebhookDestination, webhookKeyOf } from "@longshore/protocol";

/**
 * What a webhook is signed with: the function's secret that the destination names, else the tenant's own ones. Undefined where the function has no such
 * secret any more: what is not signed as its receiver expects is not sent.
 */
export function signingSecrets({ secretName }: WebhookDestination, functionSecrets: Readonly<Record<string, string>>, tenantSecrets: readonly string[]): readonly string[] | undefined {
  if (secretName === undefined) return tenantSecrets;
  const secret = Object.hasOwn(functionSecrets, secretName) ? functionSecrets[secretName] : undefined;
  return secret === undefined || webhookKeyOf(secret) === undefined ? undefined : [secret];
}
