import { type Attachment, type ContainerId, EngineError } from "../engine/engine.ts";
import type { ContainerContext, LauncherOptions } from "./container-context.ts";
import { containerSpecOf } from "./container-spec.ts";
import { engineFailure } from "./engine-failure.ts";
import type { ContainerFate } from "./fates.ts";
import { InstanceContainer } from "./instance-container.ts";
import { PlainRunContainer } from "./plain-run-container.ts";
import type { Launcher, PreparedInstance } from "./prepared.ts";
import { refuseRoot } from "./refuse-root.ts";

/** Makes the containers of instances: image, container, streams, start, in that order, and nothing left behind when one of them fails. */
export function createLauncher(options: LauncherOptions): Launcher {
  return {
    canHold: (architecture) => options.holdFor(architecture) !== undefined,
    async prepare({ instanceId, revision }) {
      const contract = options.contractOf(revision.spec.contract);
      const image = await options.images.ensure(revision, options.credentialOf(revision));
      const holdOnHost = options.holdFor(image.architecture);
      const context = { ...options, instanceId, revision, contract, start: contract.plan(revision, image), image, holdOnHost, output: options.logs.writer({ instanceId, revision }) };
      if (holdOnHost === undefined && context.start.mode === "run") return new PlainRunContainer(context);
      return create(context);
    },
    async adopt({ container, instanceId, adoption }, revision) {
      const contract = options.contractOf(revision.spec.contract);
      const image = await options.images.ensure(revision, options.credentialOf(revision));
      const start = { ...contract.plan(revision, image), mode: adoption.mode, env: [], port: adoption.port };
      const context = { ...options, instanceId, revision, contract, start, image, holdOnHost: undefined, output: options.logs.writer({ instanceId, revision }) };
      const attachment = await options.engine.attach(container.id, { stdin: false });
      const fate = options.fates.follow(container.id);
      fate.recheck(); // It may have ended before it was followed.
      return new InstanceContainer(context, { id: container.id, fate, attachment, address: { ip: container.ip ?? "", gateway: "", pid: 0 }, hasBegun: true });
    },
  };
}

async function create(context: ContainerContext): Promise<PreparedInstance> {
  const { engine, revision, holdOnHost } = context;
  const action = `Cannot start instance of "${revision.functionName}"`;
  let id: ContainerId | undefined;
  let fate: ContainerFate | undefined;
  let attachment: Attachment | undefined;
  try {
    id = await createContainer(context);
    fate = context.fates.follow(id);
    attachment = await engine.attach(id, { stdin: holdOnHost !== undefined });
    const address = holdOnHost === undefined ? undefined : await engine.startContainer(id);
    if (address !== undefined) await refuseRoot(revision, address);
    return new InstanceContainer(context, { id, fate, attachment, address, hasBegun: false });
  } catch (error) {
    fate?.forget();
    attachment?.close();
    context.output.end();
    if (id !== undefined) abandon(context, id);
    throw engineFailure(error, action, "instance_start_failed");
  }
}

/** An image may have been removed since it was last seen: then it is brought again, once. */
async function createContainer(context: ContainerContext): Promise<ContainerId> {
  const { engine, images, revision, credentialOf } = context;
  try {
    return await engine.createContainer(containerSpecOf(context));
  } catch (error) {
    if (!(error instanceof EngineError && error.failure === "not_found")) throw error;
    images.forget(revision.digest);
    return engine.createContainer(containerSpecOf({ ...context, image: await images.ensure(revision, credentialOf(revision)) }));
  }
}

/** Removes a container that never became an instance; what fails now is met again when the agent reconciles. */
function abandon(context: ContainerContext, id: ContainerId): void {
  context.engine.removeContainer(id).catch((error: unknown) => context.log.warn({ err: error, containerId: id }, "container not removed"));
}
