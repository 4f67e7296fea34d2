import { type AgentAddress, type DeployAnswer, functionDocumentSchema, LongshoreError, parseImageReference, parseInput, resolveFunction, type TenantId } from "@longshore/protocol";
import type { Clock } from "../clock.ts";
import { explainNoAgent } from "../placement/explain.ts";
import { requirementOfRules } from "../placement/requirement.ts";
import type { Asker } from "../roster/ask-agent.ts";
import type { Roster } from "../roster/roster.ts";
import { chooseContract } from "./choose-contract.ts";
import { functionView } from "./function-view.ts";
import { type FoundImage, inspectImage, type OnProgress, pinImage } from "./inspect-image.ts";
import type { Preparer } from "./preparer.ts";
import type { Registry } from "./registry.ts";

export interface DeployerOptions {
  readonly registry: Registry;
  readonly roster: Roster;
  readonly asker: Asker;
  readonly preparer: Preparer;
  readonly clock: Clock;
}

/** A deploy as the API hands it over. */
export interface DeployRequest {
  readonly tenantId: TenantId;
  readonly document: unknown;
  readonly onProgress: OnProgress;
  readonly signal: AbortSignal;
}

type Document = ReturnType<typeof readDocument>;

/** Makes revisions of function documents. */
export class Deployer {
  readonly #options: DeployerOptions;

  constructor(options: DeployerOptions) {
    this.#options = options;
  }

  /**
   * Reads the document, finds out what its image is, decides the contract, and stores a revision when something changed. Resolves
   * once it can be invoked. Throws naming the field for a bad document; what `inspectImage` and `chooseContract` throw.
   */
  async deploy(request: DeployRequest): Promise<DeployAnswer> {
    const { registry, preparer, clock } = this.#options;
    const document = readDocument(request.document);
    const found = await this.#inspect(document, request);
    const choice = chooseContract(document, found.facts);
    const spec = resolveFunction({ ...document, ...(choice.port !== undefined && { port: choice.port }) }, choice.contract);
    const definition = { tenantId: request.tenantId, spec, image: pinImage(document.image, found.facts) };
    const { revision, created, changed } = await registry.put(definition, clock.date());
    await preparer.deployed(revision, found.agent);
    return { function: functionView(revision), created, changed, contractBecause: choice.because };
  }

  async #inspect(document: Document, { tenantId, onProgress, signal }: DeployRequest): Promise<FoundImage> {
    const { roster, asker } = this.#options;
    const requirement = requirementOfRules(tenantId, document.placement);
    const agents = [...roster.placement.eligible(requirement)].map(({ address }) => address);
    if (agents.length === 0) throw explainNoAgent(`"${document.name}"`, requirement, roster.agents());
    const found = await inspectImage(document.image, agents, { asker, onProgress, signal });
    await this.#compareTag(document.image, found.agent, signal);
    return found;
  }

  /** A tag beside a digest only tells people what the digest was; where the agent knows that it means another image, somebody erred. */
  async #compareTag(image: string, agent: AgentAddress, signal: AbortSignal): Promise<void> {
    const { tag, digest } = parseImageReference(image);
    if (tag === undefined || digest === undefined) return;
    const tagged = image.slice(0, image.indexOf("@"));
    const found = await inspectImage(tagged, [agent], { asker: lookingOnly(this.#options.asker), onProgress: () => undefined, signal }).catch(() => undefined);
    if (found === undefined || found.facts.repositoryDigests.some((text) => text.endsWith(`@${digest}`))) return;
    throw new LongshoreError("bad_schema", `Cannot use image "${image}": tag "${tag}" has another digest`, { field: "image" });
  }
}

/** An asker under which no image is fetched. */
function lookingOnly(asker: Asker): Asker {
  return { ask: (agent, question, options) => asker.ask(agent, question.ask === "inspect_image" ? { ...question, pull: false } : question, options) };
}

function readDocument(document: unknown) {
  const read = parseInput(functionDocumentSchema, document, "function");
  parseImageReference(read.image);
  return read;
}
