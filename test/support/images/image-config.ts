import { imagePath } from "longshore/local-images";

/** What an image says about running it, as a Dockerfile would. What is left out is empty: nothing comes from the base. */
export interface ImageConfig {
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly user?: string;
  readonly workdir?: string;
  /** TCP ports. */
  readonly exposed?: readonly number[];
  /** Over a usual `PATH`. */
  readonly env?: Readonly<Record<string, string>>;
  /** `SIGQUIT` */
  readonly stopSignal?: string;
  /** Absolute paths. */
  readonly volumes?: readonly string[];
  /** A command for `HEALTHCHECK`, run every second. */
  readonly healthcheck?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
}

const second = 1_000_000_000; // nanoseconds, as the engine counts

/** The config in the engine's own form. Lists are named even when empty, since the engine fills in what is left out from the base. */
export function engineConfig(config: ImageConfig): Record<string, unknown> {
  return {
    Entrypoint: config.entrypoint ?? [],
    Cmd: config.cmd ?? [],
    User: config.user ?? "",
    WorkingDir: config.workdir ?? "",
    Env: Object.entries({ PATH: imagePath, ...config.env }).map(([name, value]) => `${name}=${value}`),
    ExposedPorts: Object.fromEntries((config.exposed ?? []).map((port) => [`${port}/tcp`, {}])),
    Volumes: Object.fromEntries((config.volumes ?? []).map((path) => [path, {}])),
    Labels: config.labels ?? {},
    ...(config.stopSignal !== undefined && { StopSignal: config.stopSignal }),
    ...(config.healthcheck !== undefined && { Healthcheck: { Test: ["CMD", ...config.healthcheck], Interval: second, Timeout: second, Retries: 1 } }),
  };
}
