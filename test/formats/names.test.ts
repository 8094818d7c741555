/** Names from outside: short allow-lists, so that a name is never a path, a pattern or a member of every object. */
import { expect, test } from 'vitest';
import type { Decoder } from '../../formats/decode.ts';
import {
  encodeTargetName,
  firmwareVersionDecoder,
  nameDecoder,
  parseTargetName,
  segmentDecoder,
} from '../../formats/names.ts';

function accepts(decoder: Decoder<string>, ...names: readonly string[]): void {
  for (const name of names) expect(decoder(name), name).toEqual({ ok: true, value: name });
}

function refuses(decoder: Decoder<string>, ...names: readonly string[]): void {
  for (const name of names) expect(decoder(name), name).toMatchObject({ ok: false, code: 'SHAPE_MALFORMED' });
}

/** What would leave a folder, end a text or mean something to a program. */
const HOSTILE = [
  '',
  '.',
  '..',
  '../x',
  'a/b',
  'a\\b',
  '/',
  ' ',
  'a ',
  ' a',
  'a\n',
  'a\u0000',
  '%2e',
  'é',
  '-a',
  '_a',
  '.a',
];

test('a product, channel, component or hardware id is lower-case letters, digits and dashes', () => {
  accepts(nameDecoder, 'gateway', 'gw-1', 'a', '0', 'a--b', 'a-', 'constructor', 'a'.repeat(63));
  refuses(nameDecoder, ...HOSTILE, 'A', 'a.b', 'a_b', '__proto__', 'a'.repeat(64));
});

test('a release or a file is named also with capitals, dots and underscores, and never starts with one of them', () => {
  accepts(segmentDecoder, '1.0.0', 'image.js', 'A_b-C', 'a..b', 'a.', 'a'.repeat(64));
  refuses(segmentDecoder, ...HOSTILE, 'a:b', 'a*', 'a?', '__proto__', 'a'.repeat(65));
});

test('a version for people is SemVer without build metadata', () => {
  // The examples of semver.org, good and bad; good ones with build metadata are bad here.
  const good = [
    '0.0.4',
    '1.2.3',
    '10.20.30',
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha0.valid',
    '1.0.0-alpha.0valid',
  ];
  accepts(
    firmwareVersionDecoder,
    ...good,
    '1.2.3-SNAPSHOT-123',
    '1.0.0-0A.is.legal',
    '2.0.1-alpha.1227',
    '1.0.0--',
    '1.0.0-0',
  );
  accepts(firmwareVersionDecoder, '1.2.3----R-S.12.9.1--.12', '99999999999999999999999.999999999999999999.99999');
  refuses(
    firmwareVersionDecoder,
    '1',
    '1.2',
    '1.2.3-0123',
    '1.2.3-0123.0123',
    '1.1.2+.123',
    '1.0.0-alpha_beta',
    '-1.0.0',
  );
  refuses(
    firmwareVersionDecoder,
    '1.0.0-alpha..',
    '1.0.0-alpha..1',
    '01.1.1',
    '1.01.1',
    '1.1.01',
    '1.2.3.DEV',
    '1.2-SNAPSHOT',
  );
  refuses(
    firmwareVersionDecoder,
    '1.0.0+build',
    '1.0.0-rc+build',
    '1.0.0-',
    '1.0.0-.a',
    'v1.0.0',
    '1.0.0 ',
    '1.0.0-é',
    `1.0.0-${'a'.repeat(60)}`,
  );
});

test('a target name of ours has exactly three segments, each a name that stays within its folder', () => {
  expect(parseTargetName('1.0.0/gateway/image.js')).toEqual({
    release: '1.0.0',
    component: 'gateway',
    file: 'image.js',
  });
  const names = [
    '',
    '/',
    '//',
    'a',
    'a/b',
    'a/b/c/d',
    'a/b/',
    '/a/b',
    'a//c',
    'a/../c',
    'a/b/..',
    './b/c',
    'a/b/.c',
    'a/b\\c/d',
  ];
  for (const name of [...names, 'a/b/c\n', 'a/b/é', 'a/__proto__/c', `a/b/${'c'.repeat(65)}`]) {
    expect(parseTargetName(name), name).toBeUndefined();
  }
  expect(parseTargetName(`a/b/${'c'.repeat(64)}`)).toBeDefined();
});

test('what is written of a target name is read as the same', () => {
  const name = { release: '1.0.0', component: 'gateway', file: 'image.js' };
  expect(parseTargetName(encodeTargetName(name))).toEqual(name);
});
