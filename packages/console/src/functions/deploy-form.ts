import type { FunctionDocument, FunctionView } from "@longshore/sdk";

/** A function's document as a person fills it in. */
export interface DeployForm {
  readonly name: string;
  readonly image: string;
  readonly contract: string;
  readonly memoryMib: string;
  readonly timeoutMs: string;
  readonly minInstances: string;
  readonly sites: string;
  /** One `NAME=value` a line. */
  readonly env: string;
  readonly secrets: string;
  /** An object with whatever else the document may have; it wins over the fields. */
  readonly more: string;
  /** The image is one that an agent's engine has; no registry is asked. */
  readonly isLocal: boolean;
}

export const emptyDeployForm: DeployForm = { name: "", image: "", contract: "auto", memoryMib: "256", timeoutMs: "30000", minInstances: "0", sites: "", env: "", secrets: "", more: "", isLocal: false };

/** What of a form cannot be read. */
export interface DeployFault {
  readonly field: keyof DeployForm;
  readonly message: string;
}

/** The document that a form means, or what of it cannot be read; the broker judges the rest, and names the field. */
export function documentOf(form: DeployForm): { readonly document: FunctionDocument } | DeployFault {
  const env = readVariables(form.env, "env");
  if ("field" in env) return env;
  const secrets = readVariables(form.secrets, "secrets");
  if ("field" in secrets) return secrets;
  const more = readMore(form.more);
  if ("field" in more) return more;
  for (const field of ["memoryMib", "timeoutMs", "minInstances"] as const) if (!/^\d+$/.test(form[field].trim())) return { field, message: "Must be a whole number" };
  if (form.name.trim() === "") return { field: "name", message: "Is missing" };
  if (form.image.trim() === "") return { field: "image", message: "Is missing" };
  const sites = form.sites.split(/[\s,]+/).filter((site) => site !== "");
  const document = {
    name: form.name.trim(),
    image: form.image.trim(),
    ...(form.contract !== "auto" && { contract: form.contract as NonNullable<FunctionDocument["contract"]> }),
    memoryBytes: Number(form.memoryMib) * 2 ** 20,
    timeoutMs: Number(form.timeoutMs),
    ...(Number(form.minInstances) > 0 && { minInstances: Number(form.minInstances) }),
    ...(sites.length > 0 && { placement: { sites } }),
    ...(Object.keys(env.variables).length > 0 && { env: env.variables }),
    ...(Object.keys(secrets.variables).length > 0 && { secrets: secrets.variables }),
  };
  return { document: { ...document, ...more.fields } };
}

function readVariables(text: string, field: "env" | "secrets"): { readonly variables: Readonly<Record<string, string>> } | DeployFault {
  const variables: Record<string, string> = {};
  for (const [at, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const equals = line.indexOf("=");
    if (equals < 1) return { field, message: `Line ${at + 1} is no variable: expected NAME=value` };
    variables[line.slice(0, equals).trim()] = line.slice(equals + 1);
  }
  return { variables };
}

function readMore(text: string): { readonly fields: Readonly<Record<string, unknown>> } | DeployFault {
  if (text.trim() === "") return { fields: {} };
  try {
    const fields = JSON.parse(text) as unknown;
    if (typeof fields === "object" && fields !== null && !Array.isArray(fields)) return { fields: fields as Record<string, unknown> };
  } catch (error) {
    return { field: "more", message: `Is no JSON: ${(error as Error).message}` };
  }
  return { field: "more", message: "Must be an object, as {\"idempotent\": true}" };
}

/** What the form has fields for, or a document has not: the rest of a function stands under `more`. */
const inFields = new Set(["name", "image", "contract", "memoryBytes", "timeoutMs", "minInstances", "env", "secretNames", "revision", "revisionId", "createdAt", "resolvedImage"]);
const presets: Readonly<Record<string, unknown>> = { cpuMillis: 1000, startTimeoutMs: 60_000, stopGraceMs: 10_000, scratchBytes: 64 * 2 ** 20, network: "internet", profile: "standard", idempotent: false, retry: "default" };
const presetConcurrency = (contract: string) => (contract === "http" ? 80 : 1);

/** A form that would deploy what a revision is, but for the values of its secrets, which nobody is shown. */
export function formOf(view: FunctionView): DeployForm {
  const { sites, ...placement } = view.placement;
  const others = Object.entries(view).filter(([name, value]) => !inFields.has(name) && name !== "placement" && value !== undefined && value !== presets[name] && !(name === "concurrency" && value === presetConcurrency(view.contract)));
  const more = { ...Object.fromEntries(others), ...(Object.keys(placement).length > 0 && { placement: view.placement }) };
  const env = Object.entries(view.env);
  const isMultiline = env.some(([, value]) => value.includes("\n"));
  return {
    name: view.name,
    image: view.resolvedImage.local ? view.image : pinned(view),
    contract: view.contract,
    memoryMib: String(Math.round(view.memoryBytes / 2 ** 20)),
    timeoutMs: String(view.timeoutMs),
    minInstances: String(view.minInstances),
    sites: "placement" in more ? "" : (sites ?? []).join(", "),
    env: isMultiline ? "" : env.map(([name, value]) => `${name}=${value}`).join("\n"),
    secrets: view.secretNames.map((name) => `${name}=`).join("\n"),
    more: Object.keys(more).length === 0 && !isMultiline ? "" : JSON.stringify({ ...more, ...(isMultiline && { env: view.env }) }, undefined, 2),
    isLocal: view.resolvedImage.local,
  };
}

/** The very image of a revision: a tag may have moved since. */
function pinned({ image, resolvedImage }: FunctionView): string {
  return image.includes("@") ? image : `${image.replace(/:[^:/]*$/, "")}@${resolvedImage.digest}`;
}
