import { contractNames } from "@longshore/protocol";
import type { DeployProgress } from "@longshore/sdk";
import { useEffect, useState } from "preact/hooks";
import { Link } from "../shell/link.tsx";
import { goTo } from "../shell/navigation.ts";
import { act, notify } from "../shell/notices.tsx";
import { Check, Choice, Field, Heading, Meter, Panel } from "../shell/parts.tsx";
import { formatBytes } from "../shell/quantity.ts";
import { addressOf, type Query } from "../shell/route.ts";
import { useSession } from "../shell/session-context.ts";
import { Text } from "../shell/text.tsx";
import { type DeployForm, documentOf, emptyDeployForm, formOf } from "./deploy-form.ts";

/** Deploys a function: a new one, or a change of one (`?of=name`), or an earlier revision again (`&revision=3`). */
export function DeployView({ query }: { readonly query: Query }) {
  const session = useSession();
  const [form, setForm] = useState<DeployForm>({ ...emptyDeployForm, name: query["name"] ?? "" });
  const [told, setTold] = useState<{ readonly field: string | undefined; readonly message: string } | undefined>(undefined);
  const [progress, setProgress] = useState<ReadonlyMap<string, DeployProgress> | undefined>(undefined);
  const { of: name, revision } = query;
  useEffect(() => {
    if (name === undefined) return;
    void act(async () => {
      const view = revision === undefined ? await session.fleet.get(name) : (await session.fleet.revisions(name)).find((each) => String(each.revision) === revision);
      if (view !== undefined) setForm(formOf(view));
    });
  }, [name, revision]);
  const change = (field: keyof DeployForm) => (value: string) => setForm((before) => ({ ...before, [field]: value }));
  const read = documentOf(form);
  const deploy = async () => {
    if ("field" in read) return setTold(read);
    setTold(undefined);
    setProgress(new Map());
    try {
      const answer = await session.fleet.deploy(read.document, { local: form.isLocal, onProgress: (each) => setProgress((before) => new Map([...(before ?? []), [each.agentId, each]])) });
      notify(answer.changed ? `${read.document.name} is deployed as r${answer.function.revision} (${answer.contractBecause})` : `${read.document.name} was deployed like that already`);
      await session.listFunctions();
      goTo(addressOf(["functions", read.document.name]));
    } catch (error) {
      const { message, field } = error as Error & { field?: string };
      setTold({ field, message });
    } finally {
      setProgress(undefined);
    }
  };
  const faultAt = (field: keyof DeployForm, named: string = field) => (told?.field === field || told?.field?.split(/[.[]/)[0] === named ? told.message : undefined);
  const submit = (event: Event) => {
    event.preventDefault();
    void deploy();
  };
  return (
    <>
      <Heading title={name === undefined ? "Deploy a function" : <>Deploy <Text>{name}</Text>{revision !== undefined && <> as it was in r<Text>{revision}</Text></>}</>} crumbs={<Link to={["functions"]}>Functions</Link>} />
      <form class="panel form" onSubmit={submit} aria-label="Function">
        {told !== undefined && <p class="fault" role="alert"><Text>{told.message}</Text></p>}
        <div class="line">
          <Field label="Name" value={form.name} onInput={change("name")} fault={faultAt("name")} hint="a-z, 0-9 and -" isCode />
          <Field label="Image" value={form.image} onInput={change("image")} fault={faultAt("image")} hint="ghcr.io/acme/resize:1.4" isCode />
        </div>
        <Check label="The image is already on a host, and in no registry" value={form.isLocal} onChange={(isLocal) => setForm((before) => ({ ...before, isLocal }))} />
        <div class="line">
          <Choice label="Contract" value={form.contract} onChange={change("contract")} options={[["auto", "auto: as the image says"], ...contractNames.map((each) => [each, each] as const)]} />
          <Field label="Memory, MiB" value={form.memoryMib} onInput={change("memoryMib")} fault={faultAt("memoryMib", "memoryBytes")} />
          <Field label="Timeout, ms" value={form.timeoutMs} onInput={change("timeoutMs")} fault={faultAt("timeoutMs")} />
          <Field label="Kept begun" value={form.minInstances} onInput={change("minInstances")} fault={faultAt("minInstances")} hint="Instances, over the fleet" />
        </div>
        <Field label="Sites" value={form.sites} onInput={change("sites")} fault={faultAt("sites", "placement")} hint="Empty: any" isCode list={[...new Set(session.fleetStore.agents().map(({ siteId }) => siteId))]} />
        <Field label="Environment" value={form.env} onInput={change("env")} rows={3} fault={faultAt("env")} hint="One NAME=value a line" isCode />
        <Field label="Secrets" value={form.secrets} onInput={change("secrets")} rows={2} fault={faultAt("secrets")} hint={name === undefined ? "Like the environment, and never shown again" : "Nobody is shown their values: fill them in again"} isCode />
        <details open={form.more !== ""}>
          <summary>Anything else</summary>
          <Field label="As JSON" value={form.more} onInput={change("more")} rows={6} fault={faultAt("more")} hint={<>Whatever else a function document has, as <code>{'{"idempotent": true, "network": "none"}'}</code></>} isCode />
        </details>
        <div class="actions"><button type="submit" class="primary" disabled={progress !== undefined}>{progress === undefined ? "Deploy" : "Under way …"}</button></div>
      </form>
      {progress !== undefined && <Pulls progress={progress} />}
    </>
  );
}

function Pulls({ progress }: { readonly progress: ReadonlyMap<string, DeployProgress> }) {
  return (
    <Panel title="Images on their way">
      {progress.size === 0 ? <p class="hint" role="status">Asking hosts for the image …</p> : (
        <div role="status"><ul class="pulls">
          {[...progress.values()].map(({ siteId, agentId, pull }) => (
            <li key={agentId}><span><Text>{`${siteId} / ${agentId}`}</Text></span><Meter share={pull.bytes === 0 ? 0 : pull.bytesDone / pull.bytes} label={`${pull.layersDone} of ${pull.layers} layers`} /><small>{formatBytes(pull.bytesDone)} of {formatBytes(pull.bytes)}, {pull.layersDone} of {pull.layers} layers</small></li>
          ))}
        </ul></div>
      )}
    </Panel>
  );
}
