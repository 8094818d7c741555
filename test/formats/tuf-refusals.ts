/**
 * Metadata that no client of ours reads, one fault each, made from the files of the sample.
 *
 * - Each says what is wrong with it, and the code it is refused with; `docs/formats/tuf.md` has the rule.
 * - The table is also the vector file `test/vectors/tuf/refused.json`, for other implementations.
 */
import { encodeUtf8, parseUtf8 } from '../../formats/bytes.ts';
import type { Code } from '../../formats/codes.ts';
import type { MetadataType } from '../../formats/tuf-metadata.ts';
import { edited, SAMPLE_FILES, SAMPLE_SIGNERS } from './sample-repository.ts';

export type Refusal = {
  readonly says: string;
  /** The type that is expected in its place. */
  readonly type: MetadataType;
  readonly file: Uint8Array;
  readonly code: Code;
};

type Path = readonly (string | number)[];
type Value = readonly [value: unknown, says: string, code?: Code];

const FILES = {
  root: SAMPLE_FILES['1.root.json'],
  targets: SAMPLE_FILES['1.targets.json'],
  snapshot: SAMPLE_FILES['1.snapshot.json'],
  timestamp: SAMPLE_FILES['timestamp.json'],
};

/** One refusal for each of `values` in the place `path`. */
function at(type: MetadataType, path: Path, values: readonly Value[]): readonly Refusal[] {
  return values.map(([value, says, code = 'SHAPE_MALFORMED']) => ({
    says: `${type}: ${says}`,
    type,
    file: edited(FILES[type], path, value),
    code,
  }));
}

/** The same for the channel, which is targets metadata with targets. */
function atChannel(path: Path, values: readonly Value[]): readonly Refusal[] {
  return values.map(([value, says, code = 'SHAPE_MALFORMED']) => ({
    says: `targets: ${says}`,
    type: 'targets',
    file: edited(SAMPLE_FILES['1.stable.json'], path, value),
    code,
  }));
}

/** A text as a fault of its own, where no other value of JSON.parse would show it. */
function replaced(
  type: MetadataType,
  change: readonly [from: string, to: string],
  fault: readonly [says: string, code: Code],
): Refusal {
  const text = parseUtf8(FILES[type]) ?? '';
  return { says: `${type}: ${fault[0]}`, type, file: encodeUtf8(text.replace(...change)), code: fault[1] };
}

const keyid = SAMPLE_SIGNERS.root[0]?.keyid ?? '';
const IMAGE = '1.0.0/gateway/image.js';
const NUMBER = 'JSON_NUMBER_NOT_CANONICAL';

const ENVELOPE: readonly Refusal[] = [
  ...at(
    'timestamp',
    ['signatures'],
    [
      [undefined, 'no list of signatures'],
      [{}, 'signatures that are no list'],
      [[{ sig: '00' }], 'a signature without a key id'],
      [[{ keyid: '', sig: '00' }], 'an empty key id'],
      [[{ keyid }], 'a signature without its text'],
      [[{ keyid, sig: null }], 'a signature that is null'],
      [[[keyid, '00']], 'a signature that is a list'],
      [
        [
          { keyid, sig: '00' },
          { keyid, sig: '01' },
        ],
        'two signatures of one key id',
      ],
    ],
  ),
  ...at(
    'timestamp',
    ['signed'],
    [
      [undefined, 'nothing signed'],
      [[], 'a signed part that is a list'],
      ['e30=', 'a signed part that is a text'],
    ],
  ),
  ...at(
    'timestamp',
    ['signed', '_type'],
    [
      [undefined, 'no type'],
      ['targets', 'another type', 'METADATA_TYPE_MISMATCH'],
      ['Root', 'a type in other letters', 'METADATA_TYPE_MISMATCH'],
      ['mirrors', 'an unknown type', 'METADATA_TYPE_MISMATCH'],
    ],
  ),
  ...at(
    'timestamp',
    ['signed', 'spec_version'],
    [
      [undefined, 'no version of the specification'],
      ['2.0.0', 'another major version of the specification'],
      ['1', 'a version of the specification without a minor number'],
      ['1.0.34.1', 'a version of the specification with four numbers'],
      [1, 'a version of the specification that is a number'],
    ],
  ),
  ...at(
    'timestamp',
    ['signed', 'version'],
    [
      [undefined, 'no version'],
      [0, 'version 0'],
      [-3, 'a negative version'],
      [1.5, 'a version with a fraction', NUMBER],
      ['1', 'a version that is a text'],
      [2 ** 53, 'a version beyond 2^53-1', NUMBER],
      [2 ** 53 + 2, 'a version of which some parsers make another one', NUMBER],
      [1e21, 'a version with an exponent', NUMBER],
      [null, 'a version that is null'],
    ],
  ),
  ...at(
    'timestamp',
    ['signed', 'firmament'],
    [
      [[], 'a member firmament that is no object'],
      [null, 'a member firmament that is null'],
    ],
  ),
  replaced('timestamp', ['"version":1}}', '"version":1.0}}'], ['a version with a decimal point', NUMBER]),
  replaced(
    'timestamp',
    ['"version":1}}', '"version":1,"version":2}}'],
    ['a member that stands twice', 'JSON_DUPLICATE_NAME'],
  ),
  replaced('timestamp', ['"gateway"', '"\\ud800"'], ['half of a surrogate pair', 'UTF8_MALFORMED']),
  replaced('timestamp', ['}}', '}'], ['a text that ends early', 'JSON_MALFORMED']),
  replaced(
    'timestamp',
    ['"gateway"', `${'['.repeat(40)}${']'.repeat(40)}`],
    ['values that nest too deeply', 'JSON_TOO_DEEP'],
  ),
];

const EXPIRY: readonly Refusal[] = at(
  'timestamp',
  ['signed', 'expires'],
  [
    [undefined, 'no expiry'],
    [null, 'an expiry that is null'],
    ['', 'an empty expiry'],
    ['2030', 'an expiry that is a year'],
    ['2030-01-01', 'an expiry without a time'],
    [1893456000, 'an expiry in seconds'],
    ['2030-02-30T00:00:00Z', 'the 30th of February'],
    ['2029-02-29T00:00:00Z', 'the 29th of February of a common year'],
    ['2030-13-01T00:00:00Z', 'a 13th month'],
    ['2030-01-00T00:00:00Z', 'a day 0'],
    ['2030-01-01T24:00:00Z', 'an hour 24'],
    ['2030-12-31T23:59:60Z', 'a leap second'],
    ['2030-01-01T00:00:00z', 'a lower-case z'],
    ['2030-01-01t00:00:00Z', 'a lower-case t'],
    ['2030-01-01 00:00:00Z', 'a space for the T'],
    ['2030-01-01T00:00:00', 'an expiry without a zone'],
    ['2030-01-01T00:00:00+00:00', 'an expiry with an offset'],
    ['2030-01-01T00:00:00.000Z', 'an expiry with a fraction'],
    [' 2030-01-01T00:00:00Z', 'a space before the expiry'],
    ['2030-01-01T00:00:00Z\n', 'a line end after the expiry'],
    ['+12030-01-01T00:00:00Z', 'a year of five digits'],
    ['２０３０-01-01T00:00:00Z', 'digits of another script'],
  ],
);

const ROLES: readonly Refusal[] = [
  ...(['root', 'targets', 'snapshot', 'timestamp'] as const).flatMap((role) =>
    at('root', ['signed', 'roles', role], [[undefined, `no role ${role}`]]),
  ),
  ...at(
    'root',
    ['signed', 'roles', 'root', 'threshold'],
    [
      [undefined, 'a role without a threshold'],
      [0, 'a threshold of 0'],
      [-1, 'a negative threshold'],
      [1.5, 'a threshold with a fraction', NUMBER],
      ['2', 'a threshold that is a text'],
    ],
  ),
  ...at(
    'root',
    ['signed', 'roles', 'root', 'keyids'],
    [
      [undefined, 'a role without key ids'],
      [[keyid, keyid], 'a role that lists a key id twice'],
      [[''], 'a role that lists an empty key id'],
      [{ [keyid]: true }, 'a role whose key ids are no list'],
    ],
  ),
  ...at(
    'root',
    ['signed', 'keys'],
    [
      [undefined, 'no keys'],
      [[], 'keys that are a list'],
      [{ [keyid]: null }, 'a key that is null'],
    ],
  ),
  ...at(
    'root',
    ['signed', 'keys', keyid, 'keyval'],
    [
      [{}, 'a key without its public part'],
      [{ public: '' }, 'a key whose public part is empty'],
      [{ public: ['00'] }, 'a key whose public part is a list'],
    ],
  ),
  ...at('root', ['signed', 'keys', keyid, 'keytype'], [[undefined, 'a key without a type']]),
  ...at('root', ['signed', 'keys', keyid, 'scheme'], [[undefined, 'a key without a scheme']]),
  ...at('root', ['signed', 'consistent_snapshot'], [['true', 'a flag that is a text']]),
];

const delegated = (change: object): readonly object[] => [
  { name: 'stable', keyids: [keyid], threshold: 1, terminating: false, paths: ['*/*/*'], ...change },
];

const succinct = (change: object): object => ({
  bit_length: 8,
  keyids: [keyid],
  name_prefix: 'bin',
  threshold: 1,
  ...change,
});

const DELEGATIONS: readonly Refusal[] = [
  ...at(
    'targets',
    ['signed', 'targets'],
    [
      [undefined, 'no targets'],
      [[], 'targets that are a list'],
    ],
  ),
  ...at(
    'targets',
    ['signed', 'delegations', 'roles'],
    [
      [[...delegated({}), ...delegated({})], 'a delegated role that stands twice'],
      [delegated({ name: 'root' }), 'a delegated role named root'],
      [delegated({ name: 'targets' }), 'a delegated role named targets'],
      [delegated({ name: 'snapshot' }), 'a delegated role named snapshot'],
      [delegated({ name: 'timestamp' }), 'a delegated role named timestamp'],
      [delegated({ name: '' }), 'a delegated role without a name'],
      [delegated({ threshold: 0 }), 'a delegated role with a threshold of 0'],
      [delegated({ keyids: [keyid, keyid] }), 'a delegated role that lists a key id twice'],
      [delegated({ paths: undefined }), 'a delegated role without paths'],
      [delegated({ path_hash_prefixes: ['00'] }), 'a delegated role by paths and by hash prefixes'],
      [delegated({ paths: undefined, path_hash_prefixes: ['0G'] }), 'a hash prefix that is no hex'],
      [delegated({ paths: undefined, path_hash_prefixes: [''] }), 'an empty hash prefix'],
      [delegated({ paths: undefined, path_hash_prefixes: ['AB'] }), 'a hash prefix in capitals'],
      [delegated({ paths: '*' }), 'paths that are a text'],
      [delegated({ paths: [''] }), 'an empty path'],
      [delegated({ terminating: undefined }), 'a delegated role that does not say whether it terminates'],
      [delegated({ terminating: 'no' }), 'a flag that is a text'],
      [undefined, 'delegations without roles'],
    ],
  ),
  ...at(
    'targets',
    ['signed', 'delegations'],
    [
      [{ keys: {}, roles: [], succinct_roles: succinct({}) }, 'succinct roles beside others'],
      [{ keys: {}, succinct_roles: succinct({ bit_length: 0 }) }, 'succinct roles of 0 bits'],
      [{ keys: {}, succinct_roles: succinct({ bit_length: '8' }) }, 'succinct roles whose bits are a text'],
      [{ keys: {}, succinct_roles: succinct({ name_prefix: undefined }) }, 'succinct roles without a prefix'],
      [{ keys: {}, succinct_roles: succinct({ threshold: 0 }) }, 'succinct roles with a threshold of 0'],
      [{ keys: {}, succinct_roles: succinct({ keyids: [keyid, keyid] }) }, 'succinct roles with a key id twice'],
      [{ roles: [] }, 'delegations without keys'],
      [null, 'delegations that are null'],
    ],
  ),
];

const TARGETS: readonly Refusal[] = [
  ...atChannel(
    ['signed', 'targets', IMAGE, 'length'],
    [
      [undefined, 'a target without a length'],
      [-1, 'a target of negative length'],
      ['17', 'a length that is a text'],
      [2 ** 53, 'a length beyond 2^53-1', NUMBER],
    ],
  ),
  ...atChannel(
    ['signed', 'targets', IMAGE, 'hashes'],
    [
      [undefined, 'a target without hashes'],
      [{}, 'a target with an empty object of hashes'],
      [{ sha512: 'ab'.repeat(63) }, 'a SHA-512 of 63 bytes'],
      [{ sha256: 'AB'.repeat(32) }, 'a hash in capitals'],
      [{ sha256: 'ab'.repeat(31) }, 'a SHA-256 of 31 bytes'],
      [{ sha256: 'ab'.repeat(33) }, 'a SHA-256 of 33 bytes'],
      [{ sha256: 'xy'.repeat(32) }, 'a hash that is no hex'],
      [{ sha256: 'ab'.repeat(32), sha512: '' }, 'an empty hash beside a good one'],
    ],
  ),
  ...atChannel(
    ['signed', 'targets', IMAGE, 'custom'],
    [
      [[], 'a custom part that is a list'],
      ['x', 'a custom part that is a text'],
    ],
  ),
  ...atChannel(
    ['signed', 'targets', ''],
    [[{ length: 0, hashes: { sha256: 'ab'.repeat(32) } }, 'a target without a name']],
  ),
];

const META: readonly Refusal[] = [
  ...at(
    'snapshot',
    ['signed', 'meta'],
    [
      [undefined, 'no list of files'],
      [[], 'files that are a list'],
      [{ 'targets.json': { version: 1 }, stable: { version: 1 } }, 'a file whose name does not end in .json'],
      [{ '.json': { version: 1 } }, 'a file without a name'],
    ],
  ),
  ...at(
    'snapshot',
    ['signed', 'meta', 'targets.json', 'version'],
    [
      [undefined, 'a file without a version'],
      [0, 'a file of version 0'],
      [-3, 'a file of a negative version'],
      [1.5, 'a file of version 1.5', NUMBER],
    ],
  ),
  ...at(
    'snapshot',
    ['signed', 'meta', 'targets.json', 'hashes'],
    [
      [{}, 'an empty object of hashes'],
      [{ sha512: 'ab'.repeat(63) }, 'a file with a SHA-512 of 63 bytes'],
      [null, 'hashes that are null'],
    ],
  ),
  ...at('snapshot', ['signed', 'meta', 'targets.json', 'length'], [[-1, 'a file of negative length']]),
  ...at(
    'timestamp',
    ['signed', 'meta'],
    [
      [{}, 'no snapshot'],
      [{ 'targets.json': { version: 1 } }, 'another file in place of the snapshot'],
      [{ 'snapshot.json': { version: 1 }, 'targets.json': { version: 1 } }, 'another file beside the snapshot'],
    ],
  ),
];

/** Every refusal of the table. */
export const REFUSALS: readonly Refusal[] = [...ENVELOPE, ...EXPIRY, ...ROLES, ...DELEGATIONS, ...TARGETS, ...META];
