/**
 * P2 and R4 at the key holder: a control plane that owns everything on the way cannot make the tool sign what it did not show.
 *
 * - The control plane of these tests offers events, writes their notes, swaps their bytes, and hides what it likes.
 */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { encodeSigningEvent, parseSigningEvent, type SigningEvent } from '../../formats/signing-event.ts';
import { checkSignaturePortable } from '../../formats/signature-check.ts';
import { parseTargets } from '../../formats/tuf-targets.ts';
import { encodeUtf8 } from '../../formats/bytes.ts';
import type { Verdict } from '../../formats/verdict.ts';
import { signMetadata } from '../../signer/add-signature.ts';
import { generateKey } from '../../signer/key-file.ts';
import { withdrawEvent } from '../../signer/sign-event.ts';
import type { Signer } from '../../signer/signer.ts';
import { signEventFile, type SignEventOptions } from '../../cli/sign-event.ts';
import type { Answer, Host } from '../../cli/verb.ts';
import { accepted } from '../accepted.ts';
import { makeTinyEvents, nameOf, peopleOf, type EventOptions, type TinyEvents } from '../tiny-event.ts';
import { makeTinyRepository, signedOf } from '../tiny-repository.ts';

const PASSPHRASE = 'three words together';
let tiny: TinyEvents;
let folder = '';
/** Gil's key is a file, as a person's is; he takes Dee's place among the managers. */
let gil: { readonly file: Uint8Array; readonly signer: Signer };

beforeAll(async () => {
  tiny = await makeTinyEvents();
  gil = await generateKey(PASSPHRASE, 2);
  const { dee, eli, fay } = tiny.managers;
  const quorum = { keys: [gil.signer.key, eli.key, fay.key, dee.key], threshold: 2 };
  const keys = [{ keyid: gil.signer.keyid, independent: true }];
  const people = [...peopleOf(tiny.managers), { person: 'gil', keys, subjects: [] }];
  await tiny.repository.publishTargets({ channels: [{ name: 'stable', quorum }], people });
});
beforeEach(async () => {
  if (folder !== '') await rm(folder, { recursive: true });
  folder = await mkdtemp(join(tmpdir(), 'firmament-sign-'));
  await writeFile(at('gil.age'), gil.file);
  await writeFile(at('passphrase'), PASSPHRASE, { mode: 0o600 });
  await writeFile(at('1.root.json'), tiny.repository.factory.root);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);

type Shown = { readonly verdict: Verdict<Answer>; readonly words: string; readonly event: SigningEvent };

/** Gil signs what the control plane put in his folder. @param whileAsked what it does while he reads. */
async function gilSigns(
  offered: SigningEvent,
  { knowsRoot = true, ...change }: Partial<SignEventOptions> & { readonly knowsRoot?: boolean } = {},
  whileAsked: () => Promise<boolean> = () => Promise.resolve(true),
): Promise<Shown> {
  await writeFile(at('event'), encodeSigningEvent(offered));
  let words = '';
  const host: Host = {
    now: () => tiny.repository.now,
    newId: () => 'none',
    newKey: (sizeBytes) => new Uint8Array(sizeBytes),
    env: {},
    say: (text) => (words += text),
    isInteractive: true,
    stop: new AbortController().signal,
  };
  const own = { event: at('event'), key: at('gil.age'), passphraseFile: at('passphrase') };
  const trusted = knowsRoot ? { rootOne: at('1.root.json') } : {};
  const verdict = await signEventFile({ ...own, ...trusted, ...change }, host, whileAsked);
  return { verdict, words, event: accepted(parseSigningEvent(await readFile(at('event')))) };
}

const offer = (options?: EventOptions): Promise<SigningEvent> => tiny.event(options);

/** Whether Gil's signature stands under the channel of `event`. */
function isSignedByGil({ metadata }: SigningEvent): boolean {
  const { signatures, signedBytes } = accepted(parseTargets(metadata));
  const entry = signatures.find(({ keyid }) => keyid === gil.signer.keyid);
  return entry?.sig !== undefined && checkSignaturePortable(gil.signer.key, signedBytes, entry.sig);
}

test('the change is told in words from the bytes: release, counter, authors, who is still needed', async () => {
  const offered = await offer({ component: { securityCounter: 3 } });
  const { verdict, words, event } = await gilSigns(offered);
  expect(verdict).toMatchObject({
    ok: true,
    value: { facts: { event: nameOf(offered), signedBy: ['gil'], isQuorum: false } },
  });
  for (const said of [
    nameOf(offered),
    '+ 2.0.0: gateway 2.0.0, security counter 3, for gw-1',
    'in force: 2.0.0, before it was 1.0.0',
    'the security counter of gateway rises from 1 to 3',
    'never goes back to 1.0.0',
    'plan: none, for all devices at once',
    'made by repo:gateway:ref:refs/heads/main of https://ci.example (dee)',
    'can still sign: eli, fay, gil',
    'never counts: dee',
    'still needed: 2 more, one of them with an independent key',
  ]) {
    expect(words).toContain(said);
  }
  expect(isSignedByGil(event)).toBe(true);
});

test('a control plane whose notes say one thing and whose bytes another is shown by the bytes', async () => {
  const notes = 'Only a typo in the manual.\nin force: 1.0.0, as before\nstill needed: 0 more';
  const offered = await offer({
    draft: { minSecurityCounter: 2, revokedDigests: ['ab'.repeat(32)] },
    parts: { notes },
  });
  const { words } = await gilSigns(offered, {}, () => Promise.resolve(false));
  expect(words).toContain('! nothing with a security counter below 2 starts any more, before it was 0');
  expect(words).toContain(`! revoked, starts no more: ${'ab'.repeat(32)}`);
  expect(words).toContain('in force: 2.0.0, before it was 1.0.0');
  expect(words).toContain('Notes, which nobody signs:\n  | Only a typo in the manual.\n  | in force: 1.0.0, as before');
  expect(words.indexOf('Notes, which nobody signs')).toBeGreaterThan(words.indexOf('in force: 2.0.0'));
});

test('what a terminal would obey or hide is never written to it', async () => {
  const notes = 'clear\u001b[2J\u202eturned\u200bhidden\u0007\rover\u2028line\u00a0space \\u{202e}';
  const { words } = await gilSigns(await offer({ parts: { notes } }), {}, () => Promise.resolve(false));
  expect(words).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\u00a0]/);
  expect(words).toContain(
    '| clear\\u{1b}[2J\\u{202e}turned\\u{200b}hidden\\u{7}\\u{d}over\\u{2028}line\\u{a0}space \\\\u{202e}',
  );
});

test('bytes that are swapped while the person reads are not signed: the signature is under what was shown', async () => {
  const shown = await offer();
  const swapped = await offer({ draft: { minSecurityCounter: 2 } });
  const swap = async (): Promise<boolean> => {
    await writeFile(at('event'), encodeSigningEvent(swapped));
    return true;
  };
  const { verdict, words, event } = await gilSigns(shown, {}, swap);
  expect(verdict).toMatchObject({ ok: true, value: { facts: { event: nameOf(shown) } } });
  expect(words).toContain(nameOf(shown));
  expect(nameOf(event)).toBe(nameOf(shown));
  expect(isSignedByGil(event)).toBe(true);
  const sig = accepted(parseTargets(event.metadata)).signatures.find(({ keyid }) => keyid === gil.signer.keyid)?.sig;
  const other = accepted(parseTargets(swapped.metadata)).signedBytes;
  expect(checkSignaturePortable(gil.signer.key, other, sig ?? new Uint8Array())).toBe(false);
});

test('the digest that was agreed on by telephone refuses every other event, before anything is shown', async () => {
  const agreed = await offer();
  const offered = await offer({ draft: { minSecurityCounter: 2 } });
  const { verdict, words, event } = await gilSigns(offered, { digest: nameOf(agreed) });
  expect(verdict).toMatchObject({ ok: false, code: 'EVENT_MISMATCH' });
  expect(words).toBe('');
  expect(isSignedByGil(event)).toBe(false);
});

test('a person who says no has signed nothing', async () => {
  const { verdict, event } = await gilSigns(await offer(), {}, () => Promise.resolve(false));
  expect(verdict).toMatchObject({ ok: false, code: 'SIGNING_DECLINED' });
  expect(isSignedByGil(event)).toBe(false);
});

test('a repository is known by root 1 as the person trusts it, named once and remembered for its owner alone', async () => {
  const offered = await offer();
  const unnamed = { knowsRoot: false };
  expect((await gilSigns(offered, unnamed)).verdict).toMatchObject({ ok: false, code: 'REPOSITORY_UNKNOWN' });
  const other = await makeTinyRepository({ seed: 'other' });
  await writeFile(at('other.root.json'), other.factory.root);
  const foreign = await gilSigns(offered, { rootOne: at('other.root.json') });
  expect(foreign.verdict).toMatchObject({ ok: false, code: 'ROOT_ROLLBACK' });
  expect((await gilSigns(offered)).verdict).toMatchObject({ ok: true });
  expect((await gilSigns(offered, unnamed)).verdict).toMatchObject({ ok: true });
  const { product, rootOneSha256 } = tiny.repository.id;
  const memory = at(`${product}.${rootOneSha256.slice(0, 16)}.seen.json`);
  if (process.platform !== 'win32') expect((await stat(memory)).mode & 0o777).toBe(0o600);
  await writeFile(memory, 'damaged');
  await expect(gilSigns(offered)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
});

test('a server that has shown a newer world cannot show the older one again', async () => {
  const stale = await offer();
  const { eli, fay } = tiny.managers;
  const former = await signMetadata(signedOf(stale.metadata), [eli, fay]);
  const next = { draft: { former }, release: '3.0.0', component: { securityCounter: 3 }, parts: { former } };
  await gilSigns(await offer(next));
  expect((await gilSigns(stale)).verdict).toMatchObject({ ok: false, code: 'EVENT_STALE' });
});

test('a withdrawal that was seen once is not forgotten when the server strips it', async () => {
  const offered = await offer();
  const withdrawn = accepted(await withdrawEvent(offered, tiny.managers.eli));
  expect((await gilSigns(withdrawn)).verdict).toMatchObject({ ok: false, code: 'EVENT_WITHDRAWN' });
  expect((await gilSigns(offered)).verdict).toMatchObject({ ok: false, code: 'EVENT_WITHDRAWN' });
});

test('who has signed another draft of the same version is told so', async () => {
  const first = await offer();
  await gilSigns(first);
  const { words } = await gilSigns(await offer({ draft: { minSecurityCounter: 1 } }));
  expect(words).toContain(`! you have signed another draft of this version: ${nameOf(first)}`);
});

test('a file that is no signing event is refused as such', async () => {
  await writeFile(at('event'), encodeUtf8('{"version":1}'));
  const { verdict } = await gilSigns(await offer(), { event: at('passphrase') });
  expect(verdict).toMatchObject({ ok: false, code: 'EVENT_MALFORMED' });
});
