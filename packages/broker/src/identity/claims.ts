import { createHash } from "node:crypto";
import { agentPermissionTemplate, brokerPermissions } from "@longshore/protocol";
import { encodeBase32, type Nkey } from "./nkey.ts";

/**
 * The JWTs of NATS' decentralized authentication, as far as Longshore writes them: an operator signs accounts, accounts sign users.
 * Every limit is written out: one that is absent counts as 0 to the server.
 */

const unlimited = -1;
/** The largest message on the bus; a frame is at most 256 KiB of head and 128 KiB of body. */
export const maxPayloadBytes = 1024 * 1024;

interface Permission {
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
}

interface Permissions {
  readonly pub: Permission;
  readonly sub: Permission;
}

const accountLimits = { subs: unlimited, data: unlimited, payload: maxPayloadBytes, imports: 0, exports: 0, wildcards: true, conn: unlimited, leaf: 0, disallow_bearer: true };
const jetStreamLimits = {
  mem_storage: unlimited,
  disk_storage: unlimited,
  streams: unlimited,
  consumer: unlimited,
  mem_max_stream_bytes: unlimited,
  disk_max_stream_bytes: unlimited,
  max_bytes_required: false,
  max_ack_pending: unlimited,
};
const userLimits = { subs: unlimited, data: unlimited, payload: maxPayloadBytes };
const nothing: Permissions = { pub: { deny: [">"] }, sub: { deny: [">"] } };

/** How agents may connect; anything else (a leaf node, MQTT) would let a stolen credential in by a side door. */
const agentConnectionTypes = ["STANDARD", "WEBSOCKET"] as const;

/** Subscriptions of one agent: one is what it needs. */
const agentSubscriptions = 8;

/** Who a user JWT names, and for how long. Times are epoch seconds. */
interface UserClaims {
  readonly name: string;
  readonly publicKey: string;
  readonly accountKey: string;
  readonly expiresAt?: number;
}

export function operatorJwt(operator: Nkey, systemAccountKey: string): string {
  return signed(operator, { name: "longshore", sub: operator.publicKey, nats: { type: "operator", system_account: systemAccountKey } });
}

/** The system account: claims are pushed through it. */
export function systemAccountJwt(operator: Nkey, accountKey: string): string {
  return signed(operator, { name: "system", sub: accountKey, nats: { type: "account", limits: { ...accountLimits, payload: unlimited }, default_permissions: nothing } });
}

/** The brokers' account: JetStream, no agents. */
export function coreAccountJwt(operator: Nkey, accountKey: string): string {
  return signed(operator, { name: "core", sub: accountKey, nats: { type: "account", limits: { ...accountLimits, ...jetStreamLimits }, default_permissions: nothing } });
}

/** What differs between one signing of the fleet account and the next. */
interface FleetAccount {
  readonly accountKey: string;
  readonly agentSignerKey: string;
  /** Public key → epoch seconds: what was issued to that key until then is refused. */
  readonly revocations?: Readonly<Record<string, number>>;
  /** Epoch seconds; default now. Of two, servers keep the one issued later. */
  readonly issuedAt?: number;
}

/**
 * The account of brokers and agents: no JetStream. Agents come by a scoped key: it can sign nothing but users with exactly these
 * permissions, and none at all for a user without a site.
 */
export function fleetAccountJwt(operator: Nkey, { accountKey, agentSignerKey, revocations = {}, issuedAt }: FleetAccount): string {
  const template = {
    pub: { allow: [agentPermissionTemplate.publish] },
    sub: { allow: [agentPermissionTemplate.subscribe], deny: [agentPermissionTemplate.subscribeDeny] },
    ...userLimits,
    subs: agentSubscriptions,
    allowed_connection_types: agentConnectionTypes,
  };
  return signed(operator, {
    name: "fleet",
    sub: accountKey,
    ...(issuedAt !== undefined && { iat: issuedAt }),
    nats: {
      type: "account",
      limits: accountLimits,
      signing_keys: [{ kind: "user_scope", key: agentSignerKey, role: "agent", template }],
      default_permissions: nothing,
      revocations,
    },
  });
}

/** A user with permissions of its own (brokers, the system user), signed by its account's key. */
export function userJwt(account: Nkey, user: { name: string; publicKey: string }, permissions: Permissions): string {
  return signed(account, { name: user.name, sub: user.publicKey, nats: { type: "user", ...userLimits, ...permissions, allowed_connection_types: agentConnectionTypes } });
}

/** An agent's credential: it names agent and site, all else is the scoped key's template. It must carry no permissions of its own. */
export function agentJwt(signer: Nkey, user: UserClaims & { readonly siteId: string }): string {
  return signed(signer, {
    name: user.name,
    sub: user.publicKey,
    ...(user.expiresAt !== undefined && { exp: user.expiresAt }),
    nats: { type: "user", tags: [`site:${user.siteId}`], issuer_account: user.accountKey },
  });
}

/** What a broker may do in the fleet account. */
export const fleetBrokerPermissions: Permissions = { pub: { allow: [brokerPermissions.publish] }, sub: { allow: [brokerPermissions.subscribe] } };
export const everything: Permissions = { pub: { allow: [">"] }, sub: { allow: [">"] } };

interface Claims {
  readonly name: string;
  readonly sub: string;
  readonly iat?: number;
  readonly exp?: number;
  readonly nats: Readonly<Record<string, unknown>>;
}

function signed(signer: Nkey, claims: Claims): string {
  const body = { aud: "NATS", iss: signer.publicKey, iat: Math.floor(Date.now() / 1000), ...claims, nats: { ...claims.nats, version: 2 } };
  const jti = encodeBase32(createHash("sha512-256").update(JSON.stringify(body)).digest());
  const text = `${base64url({ typ: "JWT", alg: "ed25519-nkey" })}.${base64url({ ...body, jti })}`;
  return `${text}.${signer.sign(text).toString("base64url")}`;
}

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
