import { findNatsServer } from "../../packages/cli/bin/tool-cache.mjs";
import { findAwsCli } from "./aws-cli.mjs";
import { findChromium } from "./chromium.mjs";
import { findDockerRegistry } from "./docker-registry.mjs";
import { findLambdaRuntime } from "./lambda-runtime.mjs";
import { findCommand } from "./machine.mjs";
import { findNginx } from "./nginx.mjs";
import { nodeEnvironment } from "./node.mjs";
import { findPrometheus } from "./prometheus.mjs";

/**
 * The environment for what runs a fleet: `node` is Node 24, `LONGSHORE_NATS_SERVER` names the nats-server that set-up found,
 * `LONGSHORE_DOCKER_REGISTRY` the registry that tests start, `LONGSHORE_NGINX` and `LONGSHORE_LAMBDA_RUNTIME` the folders with the
 * nginx and the Lambda runtime client that they make images of, `LONGSHORE_AWS_CLI` the AWS command line that they call with,
 * `LONGSHORE_CHROMIUM` the browser, and `LONGSHORE_PROMETHEUS` the folder with `prometheus` and `promtool`.
 */
export function toolEnvironment() {
  const natsServer = findNatsServer() ?? findCommand("nats-server");
  const registry = findDockerRegistry();
  const nginx = findNginx();
  const lambdaRuntime = findLambdaRuntime();
  const awsCli = findAwsCli();
  const chromium = findChromium();
  const prometheus = findPrometheus();
  return {
    ...nodeEnvironment(),
    ...(natsServer === undefined ? {} : { LONGSHORE_NATS_SERVER: natsServer }),
    ...(registry === undefined ? {} : { LONGSHORE_DOCKER_REGISTRY: registry }),
    ...(nginx === undefined ? {} : { LONGSHORE_NGINX: nginx }),
    ...(lambdaRuntime === undefined ? {} : { LONGSHORE_LAMBDA_RUNTIME: lambdaRuntime }),
    ...(awsCli === undefined ? {} : { LONGSHORE_AWS_CLI: awsCli }),
    ...(chromium === undefined ? {} : { LONGSHORE_CHROMIUM: chromium }),
    ...(prometheus === undefined ? {} : { LONGSHORE_PROMETHEUS: prometheus }),
  };
}
