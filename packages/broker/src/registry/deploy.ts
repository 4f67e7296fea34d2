import { type AgentAddress, type DeployAnswer, functionDocumentSchema, LongshoreError, parseImageReference, parseInput, resolveFunction, type TenantId } from "@longshore/protocol";
import type { Clock } from "../clock.ts";
import { explainNoAgent } from "../placement/explain.ts";
import { type Requirement, requirementOf } from "../placement/requirement.ts";
import type { Asker } from "../roster/ask-agent.ts";
import type { Roster } from "../roster/roster.ts";
import { chooseContract } from "./choose-contract.ts";
import { functionView } from "./function-view.ts";
import type { CredentialBook } from "./credentials.ts";
import { type FoundImage, inspectImage, inspectLocalImage, type OnProgress, pinImage, pinLocalImage } from "./inspect-image.ts";
import type { Preparer } from "./preparer.ts";
import type { Registry } from "./registry.ts";

export interface DeployerOptions {
  readonly registry: Registry;
  readonly roster: Roster;
  readonly asker: Asker;
  readonly preparer: Preparer;
  readonly credentials: CredentialBook;
  readonly clock: Clock;
}

/** A deploy as the API hands it over. */
export interface DeployRequest {
  readonly tenantId: TenantId;
  readonly document: unknown;
  /** Take the image that an agent's engine has, and ask no registry. */
  readonly local?: boolean;
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
   * once it can be invoked. Throws naming the field for a bad document; what `inspectImage`, `inspectLocalImage` and `chooseContract` throw; `wrong_architecture` for an image that no eligible host could run.
   */
  async deploy(request: DeployRequest): Promise<DeployAnswer> {
    const { registry, preparer, clock } = this.#options;
    const document = readDocument(request.document);
    const found = await this.#inspect(document, request);
    const choice = chooseContract(document, found.facts);
    const spec = resolveFunction({ ...document, ...(choice.port !== undefined && { port: choice.port }) }, choice.contract);
    const definition = { tenantId: request.tenantId, spec, image: request.local === true ? pinLocalImage(document.image, found.facts) : pinImage(document.image, found.facts) };
    const { revision, created, changed } = await registry.put(definition, clock.date());
    await preparer.deployed(revision, found.agent);
    return { function: functionView(revision), created, changed, contractBecause: choice.because };
  }

  async #inspect(document: Document, { tenantId, local = false, onProgress, signal }: DeployRequest): Promise<FoundImage> {
    const { roster, asker, credentials } = this.#options;
    const requirement = requirementOf(tenantId, document);
    // Those whose disk is full pull nothing, and are asked last; the first ones asked are of every architecture there is.
    const byDisk = [...roster.placement.eligible(requirement)].sort((a, b) => Number(a.capacity?.disk?.pressure === true) - Number(b.capacity?.disk?.pressure === true));
    const agents = oneOfEachFirst(byDisk, (agent) => agent.introduction?.architecture).map(({ address }) => address);
    if (agents.length === 0) throw explainNoAgent(`"${document.name}"`, requirement, roster.agents());
    const credential = credentials.find(tenantId, document.image);
    const found = await (local ? inspectLocalImage : inspectImage)(document.image, agents, { asker, credential, onProgress, signal });
    this.#checkArchitecture(document, found, requirement);
    await this.#compareTag(document.image, found.agent, signal);
    return found;
  }

  /** An engine also takes an image that its host cannot run. */
  #checkArchitecture({ name }: Document, { facts }: FoundImage, rules: Requirement): void {
    const { roster } = this.#options;
    const requirement = { ...rules, architecture: facts.architecture };
    for (const _ of roster.placement.eligible(requirement)) return;
    throw explainNoAgent(`"${name}"`, requirement, roster.agents());
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

/** The first of each kind, then the others, each in the order in which they came. */
function oneOfEachFirst<T>(items: readonly T[], kindOf: (item: T) => unknown): T[] {
  const seen = new Set<unknown>();
  const first = new Set(items.filter((item) => !seen.has(kindOf(item)) && seen.add(kindOf(item))));
  return [...first, ...items.filter((item) => !first.has(item))];
}

function readDocument(document: unknown) {
  const read = parseInput(functionDocumentSchema, document, "function");
  parseImageReference(read.image);
  return read;
}
