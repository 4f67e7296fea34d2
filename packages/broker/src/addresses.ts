import { hostname, networkInterfaces } from "node:os";
import { type BrokerConfig, isLoopbackHost, type ListenAddress, splitAddress } from "./config.ts";

/** Where the embedded bus listens: as configured, else beside the broker, on the next port. */
export function busAddress(config: BrokerConfig): ListenAddress {
  if (config.busListen !== undefined) return splitAddress(config.busListen);
  const { host, port } = splitAddress(config.listen);
  return { host, port: port === 0 ? 0 : port + 1 };
}

/** Names and addresses by which others may reach what listens on that host. */
export function reachableHosts(config: BrokerConfig, host: string): string[] {
  if (isLoopbackHost(host)) return [host === "localhost" ? "127.0.0.1" : host];
  const advertised = (config.advertise ?? []).map((url) => new URL(url).hostname.replace(/^\[|\]$/g, ""));
  if (advertised.length > 0) return [...new Set(advertised)];
  return isEveryAddress(host) ? ownAddresses() : [host];
}

/** What a certificate of this broker must name. */
export function certificateNames(config: BrokerConfig): string[] {
  const hosts = [splitAddress(config.listen).host, busAddress(config).host];
  return [...new Set([...hosts.flatMap((host) => reachableHosts(config, host)), hostname()])];
}

/** The broker's URLs as joining hosts use them. */
export function brokerUrls(config: BrokerConfig, port: number): string[] {
  if (config.advertise !== undefined && config.advertise.length > 0) return [...config.advertise];
  const scheme = config.tls === "off" ? "http" : "https";
  return reachableHosts(config, splitAddress(config.listen).host).map((host) => `${scheme}://${bracketed(host)}:${port}`);
}

/** The embedded bus's URLs as agents use them. */
export function busUrls(config: BrokerConfig, port: number): string[] {
  const scheme = config.tls === "off" ? "nats" : "tls";
  return reachableHosts(config, busAddress(config).host).map((host) => `${scheme}://${bracketed(host)}:${port}`);
}

/** The broker's URL as this host reaches it. */
export function localUrl(config: BrokerConfig, port: number): string {
  const { host } = splitAddress(config.listen);
  const scheme = config.tls === "off" ? "http" : "https";
  return `${scheme}://${isEveryAddress(host) ? "127.0.0.1" : bracketed(host)}:${port}`;
}

const isEveryAddress = (host: string) => host === "0.0.0.0" || host === "::";
const bracketed = (host: string) => (host.includes(":") ? `[${host}]` : host);

function ownAddresses(): string[] {
  const outward = Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).filter(({ internal, family }) => !internal && family === "IPv4"));
  return [...new Set(outward.map(({ address }) => address))];
}
