/** The command line: misuse shows the way, refusals carry their code, secrets never show, and machines get one line. */
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CODES } from '../../formats/codes.ts';
import { firmament, firmamentHere, firmamentIn, type Ended } from './run-firmament.ts';

const PASSPHRASE = 'a passphrase that nobody may ever see';
const SCREEN_LINES = 40;

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firmament-cli-'));
  await writeFile(join(folder, 'passphrase'), `${PASSPHRASE}\n`, { mode: 0o600 });
  await writeFile(join(folder, 'wrong'), 'another', { mode: 0o600 });
});
afterAll(() => rm(folder, { recursive: true }));

const at = (name: string): string => join(folder, name);

function generate(name: string, ...more: readonly string[]): Promise<Ended> {
  const passphrase = ['--passphrase-file', at('passphrase')];
  return firmament('key-generate', '--out', at(name), '--work-factor', '2', ...passphrase, ...more);
}

describe('misuse', () => {
  test.each([
    [[]],
    [['nope']],
    [['sign']],
    [['sign', '--nope']],
    [['publish', '--store']],
    [['publish', '--file', 'no such file']],
    [['serve', '--store', 'x', '--port', '70000']],
    [['key-generate', '--out', 'x', '--work-factor', '99']],
    [['key-generate', '--out', 'x', 'extra']],
    [['root-draft', '--out', 'x']],
    [['root-draft', '--out', 'x', '--product', '../x']],
    [['targets-draft', '--root-one', 'x', '--out', 'x', '--channel', 'stable']],
    [['targets-draft', '--root-one', 'x', '--out', 'x', '--verifier', 'https://verifier.example']],
    [['judge', '--root', 'x', '--out', 'x']],
    [['build', '--source', 'x', '--output', 'x', '--out', 'x', '--key', 'x', '--', 'node']],
  ])('%j ends with 64 and one screen of usage, and a line for machines', async (args) => {
    const { exit, stderr, answer } = await firmamentHere(...args);
    expect(exit).toBe(64);
    expect(answer).toMatchObject({ ok: false, code: 'USAGE' });
    expect(stderr).toContain('Usage: firmament');
    expect(stderr.split('\n').length).toBeLessThanOrEqual(SCREEN_LINES);
  });

  test.each([[['nope']], [['sign']]])('%j ends the process just so', async (args) => {
    expect(await firmament(...args)).toEqual(await firmamentHere(...args));
  });

  test('components that are not described whole, or belong to no release, are misuse', async () => {
    const draft = ['channel-draft', '--root-one', 'x', '--channel', 'stable', '--out', 'x', '--component', 'a'];
    for (const args of [draft, [...draft, '--release', 'x']]) {
      expect(await firmamentHere(...args)).toMatchObject({ exit: 64, answer: { code: 'USAGE' } });
    }
  });

  test('help is no misuse', async () => {
    for (const args of [['--help'], ['sign', '--help'], ['help', 'publish']]) {
      const { exit, stderr } = await firmamentHere(...args);
      expect(exit).toBe(0);
      expect(stderr).toContain('Usage: firmament');
    }
  });
});

test('usage names what an option may be, and what it is otherwise, in the unit that people write', async () => {
  const usage = async (verb: string): Promise<string> =>
    (await firmamentHere(verb, '--help')).stderr.replace(/\s+/g, ' ');
  expect(await usage('sign')).toContain('(choices: root, targets)');
  expect(await usage('targets-draft')).toContain('how long it is valid (default: 365)');
});

describe('keys', () => {
  test('a key is made with its public part beside it, and only its owner may read the private one', async () => {
    const { exit, answer } = await generate('alice.age');
    expect(exit).toBe(0);
    expect(answer).toMatchObject({ ok: true, code: 'DONE', file: at('alice.age'), publicFile: at('alice.pub.json') });
    if (process.platform !== 'win32') expect((await stat(at('alice.age'))).mode & 0o777).toBe(0o600);
    expect(await readFile(at('alice.pub.json'), 'utf8')).toMatch(/^{"keytype":"ed25519",/);
  });

  test('a key is never overwritten, nor half of a pair written', async () => {
    await generate('bob.age');
    const before = await readFile(at('bob.age'));
    expect(await generate('bob.age')).toMatchObject({ exit: 69, answer: { code: 'FILE_EXISTS' } });
    expect(await readFile(at('bob.age'))).toEqual(before);
    await rm(at('bob.age'));
    expect(await generate('bob.age')).toMatchObject({ exit: 69, answer: { code: 'FILE_EXISTS' } });
    expect(await readdir(folder)).not.toContain('bob.age');
  });

  test('a passphrase that others could read, an empty one, or none at all is refused', async () => {
    await writeFile(at('exposed'), PASSPHRASE);
    await chmod(at('exposed'), 0o644);
    await writeFile(at('empty'), '\n', { mode: 0o600 });
    const exposed = await firmament('key-generate', '--out', at('c.age'), '--passphrase-file', at('exposed'));
    if (process.platform !== 'win32')
      expect(exposed).toMatchObject({ exit: 1, answer: { code: 'PASSPHRASE_REFUSED' } });
    await writeFile(at('own'), PASSPHRASE, { mode: 0o600 });
    for (const [link, to] of [
      ['link', 'own'],
      ['to-exposed', 'exposed'],
    ] as const) {
      await symlink(to, at(link));
      const ended = await firmament('key-generate', '--out', at(`${link}.age`), '--passphrase-file', at(link));
      if (process.platform !== 'win32')
        expect(ended.exit, 'a link is as secret as its file').toBe(to === 'own' ? 0 : 1);
    }
    const empty = await firmament('key-generate', '--out', at('d.age'), '--passphrase-file', at('empty'));
    expect(empty).toMatchObject({ exit: 1, answer: { code: 'PASSPHRASE_REFUSED' } });
    const none = await firmament('key-generate', '--out', at('e.age'));
    expect(none).toMatchObject({ exit: 1, answer: { code: 'PASSPHRASE_REFUSED' } });
  });
});

describe('signing', () => {
  beforeAll(async () => {
    await Promise.all([generate('carol.age'), generate('mallory.age')]);
    const keys = ['--targets', '--snapshot', '--timestamp'].flatMap((role) => [role, at('carol.pub.json')]);
    const root = ['--root', at('carol.pub.json'), '--root-threshold', '1', '--targets-threshold', '1'];
    expect(
      (await firmament('root-draft', '--product', 'gateway', ...root, ...keys, '--out', at('root.json'))).exit,
    ).toBe(0);
  });

  const sign = (key: string, passphrase: string, ...more: readonly string[]): Promise<Ended> =>
    firmament(
      ...['sign', '--role', 'root', '--metadata', at('root.json'), '--key', at(key)],
      ...['--passphrase-file', at(passphrase), ...more],
    );

  test('a wrong passphrase is refused with its code and what to do', async () => {
    const { exit, answer, stderr } = await sign('carol.age', 'wrong', '--yes');
    expect(exit).toBe(1);
    expect(answer).toMatchObject({ ok: false, code: 'KEY_PASSPHRASE_WRONG', todo: CODES.KEY_PASSPHRASE_WRONG.todo });
    expect(stderr).toContain('KEY_PASSPHRASE_WRONG');
  });

  test('where nobody can be asked, nothing is signed without --yes', async () => {
    expect(await sign('carol.age', 'passphrase')).toMatchObject({ exit: 1, answer: { code: 'SIGNING_DECLINED' } });
  });

  test('a key of somebody else is refused, and so is a public key in the place of a private one', async () => {
    expect(await sign('mallory.age', 'passphrase', '--yes')).toMatchObject({
      exit: 1,
      answer: { code: 'KEY_NOT_OF_ROLE' },
    });
    expect(await sign('carol.pub.json', 'passphrase', '--yes')).toMatchObject({
      answer: { code: 'KEY_FILE_MALFORMED' },
    });
  });

  test('what is signed is shown first: role, version, product, expiry and the keys', async () => {
    const { exit, stderr } = await sign('carol.age', 'passphrase', '--yes');
    expect(exit).toBe(0);
    expect(stderr).toMatch(/root version 1 of product gateway\n {2}valid until 20\d\d-/);
    expect(stderr).toMatch(/timestamp: 1 of [0-9a-f]{12}\n/);
    expect(await sign('carol.age', 'passphrase', '--yes')).toMatchObject({
      exit: 1,
      answer: { code: 'ALREADY_SIGNED' },
    });
  });
});

describe('faults', () => {
  test('a file that is not there is no refusal: 69, without a stack trace', async () => {
    const missing = ['sign', '--role', 'root', '--metadata', at('nothing'), '--key', at('nothing')];
    const { exit, answer, stderr } = await firmament(...missing);
    expect(exit).toBe(69);
    expect(answer).toMatchObject({ ok: false, code: 'FILE_UNREADABLE' });
    expect(stderr).not.toContain('    at ');
    expect((await firmamentIn({ FIRMAMENT_DEBUG: '1' }, ...missing)).stderr).toContain('    at ');
  });

  test('a server whose port for identities is taken ends, and says so', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const est = ['--est-port', String(port), '--product', 'gateway', '--signer', at('signer.sock')];
    const ended = await firmament('serve', '--store', folder, '--port', '0', ...est);
    taken.close();
    expect(ended).toMatchObject({ exit: 69, answer: { code: 'ADDRESS_UNAVAILABLE' } });
  });

  test('a store that cannot be served is told before anything listens', async () => {
    expect(await firmament('serve', '--store', at('nothing'), '--port', '0')).toMatchObject({ exit: 69 });
  });
});

test('no passphrase and no private key shows on any stream, whatever happens', async () => {
  const debug = { FIRMAMENT_DEBUG: '1' };
  const ended = await Promise.all([
    firmamentIn(
      debug,
      'key-generate',
      '--out',
      at('f.age'),
      '--work-factor',
      '2',
      '--passphrase-file',
      at('passphrase'),
    ),
    firmamentIn(debug, 'key-generate', '--out', at('g.age'), '--passphrase-file', at('passphrase'), '--nope'),
    firmamentIn(
      debug,
      ...['sign', '--role', 'root', '--metadata', at('passphrase'), '--key', at('passphrase')],
      ...['--passphrase-file', at('passphrase'), '--yes'],
    ),
  ]);
  for (const { stdout, stderr } of ended) expect(`${stdout}${stderr}`).not.toMatch(/a passphrase that|PRIVATE KEY/);
});
