import type { FunctionView } from "@longshore/protocol";
import { functionArn } from "./function-reference.ts";

const mebibyte = 2 ** 20;
const architectures: Readonly<Record<string, string>> = { amd64: "x86_64", arm64: "arm64" };

/** A function as AWS's clients read it: seconds, MiB, an ARN; `qualifier` as it was asked for. What AWS has and Longshore has not is left out. */
export function configurationOf(view: FunctionView, qualifier?: string): Record<string, unknown> {
  const { resolvedImage: image } = view;
  return {
    FunctionName: view.name,
    FunctionArn: functionArn(view.name, qualifier),
    PackageType: "Image",
    CodeSize: image.sizeBytes,
    CodeSha256: image.digest.replace(/^sha256:/, ""),
    Description: "",
    Timeout: Math.ceil(view.timeoutMs / 1000),
    MemorySize: Math.floor(view.memoryBytes / mebibyte),
    EphemeralStorage: { Size: Math.floor(view.scratchBytes / mebibyte) },
    LastModified: view.createdAt.replace("Z", "+0000"),
    Version: qualifier === undefined || qualifier === "$LATEST" ? "$LATEST" : String(view.revision),
    RevisionId: view.revisionId,
    State: "Active",
    LastUpdateStatus: "Successful",
    Architectures: [architectures[image.architecture] ?? image.architecture],
    Environment: { Variables: view.env },
    ImageConfigResponse: { ImageConfig: { EntryPoint: view.command ?? image.entrypoint, Command: view.args ?? image.command, ...(view.workingDirectory !== undefined && { WorkingDirectory: view.workingDirectory }) } },
  };
}

/** GetFunction's answer. */
export function descriptionOf(view: FunctionView, qualifier?: string): Record<string, unknown> {
  const { reference, digest } = view.resolvedImage;
  return { Configuration: configurationOf(view, qualifier), Code: { ImageUri: reference, ResolvedImageUri: `${reference.replace(/@.*$/, "").replace(/:[^/:]*$/, "")}@${digest}` } };
}
