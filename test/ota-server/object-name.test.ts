/** Names and addresses: what is read as an object's name, and that nothing else is. */
import fc from 'fast-check';
import { posix } from 'node:path';
import { expect, test } from 'vitest';
import { isObjectName, NAME_BYTES_MAX, parseObjectUrl, SEGMENT_BYTES_MAX } from '../../ota-server/object-name.ts';

const SHA256 = 'a'.repeat(64);

test('the addresses of the design name their objects', () => {
  const metadata = (name: string, versioned: boolean) => ({ ok: true, value: { kind: 'metadata', name, versioned } });
  expect(parseObjectUrl('/r/gw/metadata/1.root.json')).toEqual(metadata('gw/metadata/1.root.json', true));
  expect(parseObjectUrl('/r/gw/metadata/timestamp.json')).toEqual(metadata('gw/metadata/timestamp.json', false));
  expect(parseObjectUrl('/r/gw/metadata/3.stable.json')).toEqual(metadata('gw/metadata/3.stable.json', true));
  expect(parseObjectUrl(`/r/gw/targets/1.2.0/app/${SHA256}.app.bin`)).toEqual({
    ok: true,
    value: { kind: 'target', name: `gw/targets/1.2.0/app/${SHA256}.app.bin`, sha256: SHA256 },
  });
});

test('a slash in a role name stays data, decoded once and written as %2F', () => {
  for (const url of ['/r/gw/metadata/3.eu%2Fstable.json', '/r/gw/metadata/3.eu%2fst%61ble.json']) {
    expect(parseObjectUrl(url)).toMatchObject({ ok: true, value: { name: 'gw/metadata/3.eu%2Fstable.json' } });
  }
  expect(parseObjectUrl('/r/gw/metadata/3.eu%2F..%2F..%2Fx.json')).toMatchObject({
    ok: true,
    value: { name: 'gw/metadata/3.eu%2F..%2F..%2Fx.json' },
  });
  expect(parseObjectUrl('/r/gw%2Fmetadata/timestamp.json')).toMatchObject({ ok: false, code: 'NOT_FOUND' });
  expect(parseObjectUrl(`/r/gw/targets/a%2Fb/${SHA256}.f`)).toMatchObject({ ok: false, code: 'NOT_FOUND' });
});

test('an address with characters that no name has is refused', () => {
  const file = `${SHA256}.f`;
  for (const path of [
    '../metadata/timestamp.json',
    '%2e%2e%2fmetadata/timestamp.json',
    '%2e%2e/metadata/timestamp.json',
    'gw/metadata/../../../etc/passwd',
    'gw/metadata/..%2f..%2fetc%2fpasswd',
    'gw/metadata/%2e%2e%5c%2e%2e%5cpasswd',
    'gw/metadata/3.eu%252Fstable.json',
    'gw/metadata/%252e%252e%252fpasswd',
    'gw/metadata/timestamp.json%00',
    'gw/metadata/timestamp.json%00.png',
    'gw\\metadata\\timestamp.json',
    'gw/metadata/timestamp.json%5c',
    '/gw/metadata/timestamp.json',
    '%2fetc/metadata/timestamp.json',
    'gw//metadata/timestamp.json',
    'gw/metadata/timestamp.json/',
    'gw/metadata/.hidden.json',
    `gw/targets/.git/${file}`,
    `gw/targets/./${file}`,
    'gw/metadata/timestamp.json?x=1',
    'gw/metadata/timestamp.json#x',
    'gw/metadata/timestamp.json;x',
    'gw/metadata/%zz.json',
    'gw/metadata/1.r%.json',
    'gw/metadata/1.r%2.json',
    'gw/metadata/1.r\u00f6le.json',
    'gw/metadata/1.r%C3%B6le.json',
    'gw/metadata/1.ro%20le.json',
    'gw/metadata/1.ro%0Ale.json',
    'gw/metadata/\u202e.json',
    'C:/metadata/timestamp.json',
    '',
  ]) {
    expect(parseObjectUrl(`/r/${path}`), path).toMatchObject({ ok: false, code: 'NAME_REFUSED' });
  }
});

test('the static files of a log are served under their names, and what publishers keep beside them is not', () => {
  const note = (name: string) => ({ ok: true, value: { kind: 'note', name, versioned: false } });
  const tile = (name: string) => ({ ok: true, value: { kind: 'tile', name, versioned: true } });
  for (const name of ['gw/log/checkpoint', `gw/log/proof/${SHA256}`]) {
    expect(parseObjectUrl(`/r/${name}`), name).toEqual(note(name));
  }
  for (const path of [
    '0/000',
    '0/000.p/1',
    '1/x001/x234/067.p/255',
    '63/000',
    'entries/x001/000',
    'entries/000.p/200',
  ]) {
    const name = `gw/log/tile/${path}`;
    expect(parseObjectUrl(`/r/${name}`), name).toEqual(tile(name));
  }
  const strangers = [
    '0/00',
    '0/0000',
    '00/000',
    '64/000',
    '0/000.p/0',
    '0/000.p/256',
    '0/000.p/01',
    '0/001/000',
    'entries',
  ];
  for (const path of [...strangers.map((file) => `tile/${file}`), 'claim', 'proof/ab', 'proof', `proof/${SHA256}.f`]) {
    expect(parseObjectUrl(`/r/gw/log/${path}`), path).toMatchObject({ ok: false, code: 'NOT_FOUND' });
  }
});

test('an address of good characters that names no kind of object is not found', () => {
  for (const url of [
    '/',
    '/r',
    '/R/gw/metadata/timestamp.json',
    '/r/gw',
    '/r/gw/metadata',
    '/r/gw/metadata/root.json',
    '/r/gw/metadata/0.root.json',
    '/r/gw/metadata/01.root.json',
    '/r/gw/metadata/12345678901234567.root.json',
    '/r/gw/metadata/1.root.yaml',
    '/r/gw/metadata/1..json',
    '/r/gw/metadata/x/timestamp.json',
    '/r/gw/Metadata/timestamp.json',
    '/r/gw/targets/app.bin',
    `/r/gw/targets/${SHA256}`,
    `/r/gw/targets/${'A'.repeat(64)}.f`,
    `/r/gw/targets/${'a'.repeat(63)}.f`,
    `/r/gw/targets/${SHA256}.f/g`,
    `/r/gw/log/${SHA256}.f`,
    '/etc/passwd',
    'r/gw/metadata/timestamp.json',
  ]) {
    expect(parseObjectUrl(url), url).toMatchObject({ ok: false, code: 'NOT_FOUND' });
  }
});

test('segments, names and folders have their maxima', () => {
  const role = (length: number) => `gw/metadata/1.${'r'.repeat(length - '1..json'.length)}.json`;
  expect(isObjectName(role(SEGMENT_BYTES_MAX))).toBe(true);
  expect(isObjectName(role(SEGMENT_BYTES_MAX + 1))).toBe(false);
  const folders = (count: number) => `gw/targets/${'f/'.repeat(count)}${SHA256}.f`;
  expect(isObjectName(folders(7))).toBe(true);
  expect(isObjectName(folders(8))).toBe(false);
  const long = (length: number) => {
    const tail = `/targets/${'f'.repeat(255)}/${'f'.repeat(255)}/${'f'.repeat(255)}/${SHA256}.f`;
    return 'p'.repeat(length - tail.length) + tail;
  };
  expect(isObjectName(long(NAME_BYTES_MAX))).toBe(true);
  expect(isObjectName(long(NAME_BYTES_MAX + 1))).toBe(false);
  expect(parseObjectUrl(`/r/${long(NAME_BYTES_MAX + 1)}`)).toMatchObject({ ok: false, code: 'NOT_FOUND' });
});

const PIECE = fc.constantFrom(
  '..',
  '.',
  '/',
  '//',
  '%2f',
  '%2F',
  '%2e',
  '%25',
  '%00',
  '\\',
  '%5c',
  'a',
  'Z',
  '1',
  '-',
  '_',
  '%',
);
const HOSTILE = fc.oneof(
  fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)), maxLength: 300 }),
  fc.array(PIECE, { maxLength: 40 }).map((pieces) => pieces.join('')),
  fc
    .tuple(fc.constantFrom('gw/metadata/1.', 'gw/targets/', 'gw/'), fc.array(PIECE))
    .map(([a, b]) => `${a}${b.join('')}.json`),
);

test('whatever is asked for, a name that is accepted is a path that stays below the store', () => {
  fc.assert(
    fc.property(HOSTILE, (path) => {
      const parsed = parseObjectUrl(`/r/${path}`);
      if (!parsed.ok) return;
      const { name } = parsed.value;
      expect(posix.join('/store', name)).toBe(`/store/${name}`);
      expect(name.split('/').every((segment) => /^[A-Za-z0-9_%-][A-Za-z0-9._%-]*$/.test(segment))).toBe(true);
      expect(isObjectName(name)).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

const NAME = fc
  .tuple(
    fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,20}$/),
    fc.oneof(
      fc.constant('metadata/timestamp.json'),
      fc
        .tuple(fc.integer({ min: 1 }), fc.stringMatching(/^[a-z0-9](%2F|[a-z0-9.-]){0,20}$/))
        .map(([v, r]) => `metadata/${v}.${r}.json`),
      fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/).map((file) => `targets/1.0.0/${SHA256}.${file}`),
      fc.constantFrom('log/checkpoint', `log/proof/${SHA256}`, 'log/tile/0/x001/067.p/9', 'log/tile/entries/000'),
    ),
  )
  .map(([product, rest]) => `${product}/${rest}`);

/** Percent-encodes the characters of `name` that `pick` picks, as any client may (RFC 3986, section 2.3). */
function encodeSome(name: string, pick: readonly boolean[]): string {
  const parts = name.match(/%2F|[^%]/g) ?? [];
  const encode = (part: string) => `%${part.charCodeAt(0).toString(16).padStart(2, '0')}`;
  return parts
    .map((part, i) => (part === '/' || part === '%2F' || pick[i % pick.length] !== true ? part : encode(part)))
    .join('');
}

test('a name is read the same whatever of it is percent-encoded, and not at all if encoded twice', () => {
  fc.assert(
    fc.property(NAME, fc.array(fc.boolean(), { minLength: 1 }), (name, pick) => {
      const encoded = encodeSome(name, pick);
      expect(parseObjectUrl(`/r/${encoded}`)).toMatchObject({ ok: true, value: { name } });
      if (!encoded.includes('%')) return;
      expect(parseObjectUrl(`/r/${encoded.replaceAll('%', '%25')}`)).toMatchObject({ ok: false, code: 'NAME_REFUSED' });
    }),
    { numRuns: 500 },
  );
});
