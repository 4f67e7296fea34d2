import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePorts } from "./altered-nats.ts";

const programs = process.env["LONGSHORE_PROMETHEUS"] ?? "/usr/bin";

/** The files that come with Longshore. */
export const shippedFolder = join(import.meta.dirname, "../../deploy/prometheus");

/** The alerts among them. */
export const shippedAlerts = (): string => readFileSync(join(shippedFolder, "alerts.yaml"), "utf8");

/** The example among them, for brokers at these addresses (`host:port`). `keyFile`: holds an API key; without it none is given, as on the brokers' own machine. */
export function scrapeConfiguration(brokers: readonly string[], keyFile?: string): string {
  const example = readFileSync(join(shippedFolder, "scrape.yaml"), "utf8");
  // One of its jobs reads every broker, the other a single one.
  const aimed = example.replaceAll(/targets: \[(.*)\]/g, (_, given: string) => `targets: ${JSON.stringify(given.includes(",") ? brokers : brokers.slice(0, 1))}`);
  return keyFile === undefined ? aimed.replaceAll(/ {4}authorization:\n.*\n/g, "") : aimed.replaceAll(/credentials_file: .*/g, `credentials_file: ${keyFile}`);
}

/** Runs Debian's promtool; what it says, and whether it was content. */
export async function promtool(parameters: readonly string[], input = ""): Promise<{ readonly ok: boolean; readonly output: string }> {
  const running = promisify(execFile)(join(programs, "promtool"), [...parameters], { timeout: 60_000 });
  running.child.stdin?.end(input);
  try {
    const { stdout, stderr } = await running;
    return { ok: true, output: stdout + stderr };
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return { ok: false, output: stdout + stderr };
  }
}

/** An alert that is not inactive. */
export interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: "pending" | "firing";
}

/** A Prometheus on loopback, with a store of its own in a temporary folder. */
export class Prometheus implements AsyncDisposable {
  readonly #folder: string;
  readonly #process: ChildProcess;
  readonly #url: string;

  private constructor(folder: string, process: ChildProcess, url: string) {
    this.#folder = folder;
    this.#process = process;
    this.#url = url;
  }

  /** Starts it with a configuration, and the text of its `alerts.yaml`; resolves before it has scraped. */
  static async start(configuration: string, alerts: string): Promise<Prometheus> {
    const folder = mkdtempSync(join(tmpdir(), "longshore-prometheus-"));
    writeFileSync(join(folder, "prometheus.yml"), configuration);
    writeFileSync(join(folder, "alerts.yaml"), alerts);
    const [port = 0] = await freePorts(1);
    const child = spawn(join(programs, "prometheus"), [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`, `--web.listen-address=127.0.0.1:${port}`, "--log.level=error"], { stdio: ["ignore", "ignore", "inherit"] });
    return new Prometheus(folder, child, `http://127.0.0.1:${port}`);
  }

  /** The value of each series of an expression, by its labels; [] while it does not answer. Throws where it is no expression. */
  async query(expression: string): Promise<readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]> {
    const data = await this.#get<{ result: { metric: Record<string, string>; value: [number, string] }[] }>(`query?query=${encodeURIComponent(expression)}`);
    return (data?.result ?? []).map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
  }

  /** The alerts that are pending or firing. */
  async alerts(): Promise<readonly Alert[]> {
    return (await this.#get<{ alerts: Alert[] }>("alerts"))?.alerts ?? [];
  }

  /** The names of the alerts that fired within that time. */
  async fired(withinMs: number): Promise<readonly string[]> {
    const series = await this.query(`count by (alertname) (count_over_time(ALERTS{alertstate="firing"}[${Math.ceil(withinMs)}ms]))`);
    return series.map(({ labels }) => labels["alertname"] ?? "").toSorted();
  }

  /** The names of the rules that it has loaded. */
  async rules(): Promise<readonly string[]> {
    const data = await this.#get<{ groups: { rules: { name: string }[] }[] }>("rules");
    return (data?.groups ?? []).flatMap(({ rules }) => rules.map(({ name }) => name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    if (this.#process.exitCode === null) {
      this.#process.kill("SIGTERM");
      await ended;
    }
    rmSync(this.#folder, { recursive: true });
  }

  async #get<Data>(path: string): Promise<Data | undefined> {
    const answer = await fetch(`${this.#url}/api/v1/${path}`).catch(() => undefined);
    const isThere = answer?.headers.get("content-type")?.startsWith("application/json") === true;
    if (!isThere) return undefined; // It has not begun to listen, or to answer.
    const { data, error } = (await answer.json()) as { data: Data; error?: string };
    if (error !== undefined) throw new Error(`Prometheus refuses ${decodeURIComponent(path)}: ${error}`);
    return data;
  }
}
