/** What every desk for uploads must do, whoever takes the bytes: each adapter's test runs this with real requests. */
import { createHash } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { expect, test } from 'vitest';
import type { UploadDesk, UploadInvitation, UploadOrder } from '../../ota-server/upload-desk.ts';

export type DeskUnderTest = {
  readonly desk: UploadDesk;
  /** The address of the control plane, for addresses that are relative to it. */
  readonly base: string;
};

const NAME = `incoming/gateway/${'0'.repeat(32)}/gateway/image.bin`;
const BYTES = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31) % 251);
const UPLOAD_MS = 600_000;

export function orderFor(bytes: Uint8Array, name: string, until: number): UploadOrder {
  return { name, length: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex'), until };
}

/** Sends `bytes` as an invitation says, some of its fields changed. @returns the status; undefined if the connection was cut. */
function send(
  { url, fields }: UploadInvitation,
  of: { readonly base: string; readonly bytes: Uint8Array; readonly changed?: Readonly<Record<string, string>> },
): Promise<number | undefined> {
  const headers = { 'content-length': String(of.bytes.length), ...Object.fromEntries(fields), ...of.changed };
  return new Promise((resolve) => {
    let status: number | undefined;
    const sent = httpRequest(new URL(url, of.base), { method: 'PUT', headers }, (response) => {
      status = response.statusCode;
      response.resume().on('close', () => resolve(status));
    });
    // A server may refuse and close while we still send.
    sent.on('error', () => setTimeout(() => resolve(status), 100));
    sent.end(of.bytes);
  });
}

/** Registers the tests over a desk whose uploads are empty each time. */
export function testUploadDesk(fresh: () => Promise<DeskUnderTest>): void {
  const until = Date.now() + UPLOAD_MS;
  const invited = async (bytes = BYTES): Promise<DeskUnderTest & { readonly invitation: UploadInvitation }> => {
    const made = await fresh();
    return { ...made, invitation: made.desk.invite(orderFor(bytes, NAME, until), Date.now()) };
  };

  test('what was ordered is taken, and looking reads its length and digest', async () => {
    const { desk, base, invitation } = await invited();
    expect(await desk.look(NAME, BYTES.length)).toBeUndefined();
    expect([200, 201]).toContain(await send(invitation, { base, bytes: BYTES }));
    const { length, sha256 } = orderFor(BYTES, NAME, until);
    expect(await desk.look(NAME, BYTES.length)).toEqual({ length, sha256 });
  });

  test('other bytes of the same length leave nothing behind', async () => {
    const { desk, base, invitation } = await invited();
    expect(await send(invitation, { base, bytes: BYTES.toReversed() })).toBeGreaterThanOrEqual(400);
    expect(await desk.look(NAME, BYTES.length)).toBeUndefined();
  });

  test.each([BYTES.length - 1, BYTES.length + 1])('%i bytes instead of 300000 leave nothing behind', async (length) => {
    const { desk, base, invitation } = await invited();
    const bytes = Uint8Array.from({ length }, (_, i) => BYTES[i] ?? 0);
    const changed = { 'content-length': String(length) };
    expect((await send(invitation, { base, bytes, changed })) ?? 400).toBeGreaterThanOrEqual(400);
    expect(await desk.look(NAME, BYTES.length)).toBeUndefined();
  });

  test('what stands is not replaced through the same address', async () => {
    const { desk, base, invitation } = await invited();
    await send(invitation, { base, bytes: BYTES });
    expect(await send(invitation, { base, bytes: BYTES })).toBe(412);
    expect(await send(invitation, { base, bytes: BYTES.toReversed() })).toBeGreaterThanOrEqual(400);
    expect((await desk.look(NAME, BYTES.length))?.sha256).toBe(orderFor(BYTES, NAME, until).sha256);
  });

  test('an address opens no other name, and no other method', async () => {
    const { desk, base, invitation } = await invited();
    const other = NAME.replace('image.bin', 'other.bin');
    const url = invitation.url.replace('image.bin', 'other.bin');
    expect(await send({ ...invitation, url }, { base, bytes: BYTES })).toBe(403);
    expect(await desk.look(other, BYTES.length)).toBeUndefined();
    await send(invitation, { base, bytes: BYTES });
    const deleted = await fetch(new URL(invitation.url, base), { method: 'DELETE' });
    expect(deleted.status).toBeGreaterThanOrEqual(400);
    expect((await fetch(new URL(invitation.url, base))).status).toBeGreaterThanOrEqual(400);
    expect(await desk.look(NAME, BYTES.length)).toBeDefined();
  });

  test('after its time an address takes nothing', async () => {
    const { desk, base } = await fresh();
    const past = Date.now() - UPLOAD_MS;
    const invitation = desk.invite(orderFor(BYTES, NAME, past + 60_000), past);
    expect(await send(invitation, { base, bytes: BYTES })).toBe(403);
    expect(await desk.look(NAME, BYTES.length)).toBeUndefined();
  });

  test('looking reads no more than it was told to, and says that there is more', async () => {
    const { desk, base, invitation } = await invited();
    await send(invitation, { base, bytes: BYTES });
    const seen = await desk.look(NAME, 1_000);
    expect(seen?.length).toBeGreaterThan(1_000);
    expect(seen?.sha256).toBe('');
  });
}
