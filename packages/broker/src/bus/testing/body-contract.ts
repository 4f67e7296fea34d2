import { chunkBytes, createInvocationId, type TenantId } from "@longshore/protocol";
import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { BodyOwner, BodyStore, StoredBody } from "../body-store.ts";

const hour = 3_600_000;
const ownerOf = (kind: BodyOwner["kind"] = "payload"): BodyOwner => ({ tenantId: "acme" as TenantId, invocationId: createInvocationId(), kind });

/** Writes one, in pieces of that length. */
export async function storeBody(store: BodyStore, owner: BodyOwner, bytes: Uint8Array, pieceBytes = 50_000): Promise<StoredBody> {
  const writing = store.write(owner, hour);
  for (let at = 0; at < bytes.length; at += pieceBytes) await writing.write(bytes.subarray(at, at + pieceBytes));
  return writing.end();
}

/** Reads one whole. */
export async function readStoredBody(store: BodyStore, owner: BodyOwner, body: StoredBody): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of store.read(owner, body)) parts.push(part);
  return Buffer.concat(parts);
}

/** What every store of bodies keeps; two brokers share one. */
export function describeBodies(name: string, open: () => Promise<{ readonly stores: readonly [BodyStore, BodyStore] } & AsyncDisposable>): void {
  describe(name, () => {
    it("gives each body back byte for byte, at any broker, whatever the pieces it came in", async () => {
      await using opened = await open();
      const [one, other] = opened.stores;
      for (const [byteLength, pieceBytes] of [[0, 1], [1, 1], [chunkBytes, 7_000], [chunkBytes + 1, chunkBytes * 3], [3_000_001, 65_536]] as const) {
        const bytes = randomBytes(byteLength);
        const owner = ownerOf();
        const body = await storeBody(one, owner, bytes, pieceBytes);
        expect(body.byteLength).toBe(byteLength);
        expect((await readStoredBody(other, owner, body)).equals(bytes)).toBe(true);
      }
    });

    it("keeps writings apart, of one owner and of two", async () => {
      await using opened = await open();
      const [one, other] = opened.stores;
      const [owner, stranger] = [ownerOf(), ownerOf()];
      const [first, second] = await Promise.all([storeBody(one, owner, Buffer.from("first")), storeBody(other, owner, Buffer.from("second"))]);
      expect([String(await readStoredBody(one, owner, first)), String(await readStoredBody(one, owner, second))]).toEqual(["first", "second"]);
      await expect(readStoredBody(one, stranger, first)).rejects.toMatchObject({ reason: "body_lost" });
    });

    it("says of one that is gone, or is not what it must come to, that it is lost", async () => {
      await using opened = await open();
      const [one, other] = opened.stores;
      const owner = ownerOf("answer");
      const body = await storeBody(one, owner, randomBytes(400_000));
      for (const wrong of [{ byteLength: body.byteLength - 1 }, { byteLength: body.byteLength + 1 }, { sha256: "x" }]) await expect(readStoredBody(one, owner, { ...body, ...wrong })).rejects.toMatchObject({ reason: "body_lost" });
      await other.remove(owner, body.writing);
      await other.remove(owner, body.writing);
      await expect(readStoredBody(one, owner, body)).rejects.toMatchObject({ reason: "body_lost" });
    });

    it("lists what is there, with when it was written, and nothing that was removed or abandoned", async () => {
      await using opened = await open();
      const [one, other] = opened.stores;
      const [kept, removed] = [ownerOf(), ownerOf("answer")];
      const body = await storeBody(one, kept, randomBytes(300_000));
      await one.remove(removed, (await storeBody(one, removed, Buffer.from("x"))).writing);
      const abandoned = one.write(ownerOf(), hour);
      await abandoned.write(randomBytes(500_000));
      await abandoned.abandon();
      const listed = await other.list();
      expect(listed).toEqual([{ owner: kept, writing: body.writing, writtenAtMs: expect.any(Number) as number }]);
      expect(Math.abs((listed[0]?.writtenAtMs ?? 0) - Date.now())).toBeLessThan(60_000);
    });
  });
}
