/**
 * The attacks on a device over the network: who attacks with what, and the code with which the device refuses.
 *
 * - Each row mounts its attack on a repository that the device follows; what the row returns stands between the two.
 * - `mayChange` are the regions of flash that may differ afterwards, because what came before the refusal was true.
 */
import type { Code } from '../../formats/codes.ts';
import { encodeUtf8 } from '../../formats/bytes.ts';
import type { Instant } from '../../formats/instant.ts';
import { COUNTER_JUMP_MAX } from '../../formats/floors.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import type { Region } from '../../bootloader-verifier/boot/flash.ts';
import { metaFileOf } from '../../signer/draft-online.ts';
import type { Signer } from '../../signer/signer.ts';
import type { NetworkFault, NetworkFaults } from '../../simulation/fault-network.ts';
import { simulatedImage } from '../../simulation/simulated-device.ts';
import { edited } from '../edited-metadata.ts';
import { seededSigner } from '../seeded-signer.ts';
import { publishForged } from '../stolen-online-keys.ts';
import type { TinyDevice } from '../tiny-device.ts';
import { makeTinyRepository, signedOf, type ReleaseOptions, type TinyRepository } from '../tiny-repository.ts';

export type Mounted = {
  /** What the server serves instead. */
  readonly files?: ReadonlyMap<string, Uint8Array>;
  readonly faults?: Partial<NetworkFaults>;
  readonly now?: Instant;
};
export type Attack = {
  readonly attack: string;
  readonly owns: string;
  readonly code: Code;
  readonly mayChange: readonly Region[];
  readonly mount: (target: {
    readonly repository: TinyRepository;
    readonly device: TinyDevice;
  }) => Promise<Mounted | undefined>;
};

const DAY_MS = 86_400_000;
/** What a refresh leaves that went through: what was seen, and newer trust for the slot that runs. */
const REFRESHED: readonly Region[] = ['cache', 'bundle-b'];
const THREE: ReleaseOptions = { image: simulatedImage('three', 'healthy'), securityCounter: 3 };

function signers(repository: TinyRepository, role: string): readonly Signer[] {
  return repository.signers.get(role) ?? [];
}

/** Publishes 3.0.0 honestly, then lets `change` loose on one of its files. */
async function changedFile(
  repository: TinyRepository,
  file: RegExp,
  change: (bytes: Uint8Array) => Uint8Array,
): Promise<undefined> {
  await repository.publishRelease(THREE);
  for (const [name, bytes] of repository.files) {
    if (file.test(name) && name.includes('3.0.0')) repository.files.set(name, change(bytes));
  }
}

function flipped(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte, at) => (at === bytes.length >> 1 ? byte ^ 1 : byte));
}

/** The device meets `fault` at every file whose name matches. */
function faultAt(name: RegExp, fault: NetworkFault): Mounted {
  return { faults: { choose: (request) => (name.test(request.name) ? fault : undefined) } };
}

/** Signs the newest channel again with other members, as `by`, and has the online roles name it. */
async function forgeChannel(
  repository: TinyRepository,
  change: Parameters<typeof edited>[1],
  by: readonly Signer[],
): Promise<undefined> {
  await repository.publishRelease(THREE);
  const file = await repository.sign('stable', edited(repository.newest('stable'), { version: 4, ...change }), by);
  repository.put('stable', file);
  await publishForged(repository, { meta: (meta) => meta.set('stable.json', metaFileOf(4, file)) });
}

/** The people of `stable` sign `beta` too, and the adversary serves what they signed for `beta` as `stable`. */
async function betaAsStable(repository: TinyRepository, sameKeys: boolean): Promise<undefined> {
  const people = signers(repository, sameKeys ? 'stable' : 'beta');
  if (sameKeys) {
    const quorum = { keys: people.map(({ key }) => key), threshold: 2 };
    await repository.publishTargets({ channels: [{ name: 'beta', quorum }] });
  }
  await repository.publishRelease({ ...THREE, channels: ['beta'], signers: people.slice(0, 2) });
  const beta = repository.newest('beta');
  repository.files.set('metadata/3.stable.json', beta);
  await publishForged(repository, { meta: (meta) => meta.set('stable.json', metaFileOf(3, beta)) });
}

const NETWORK: readonly Omit<Attack, 'owns'>[] = [
  {
    attack: 'changes a byte of the image',
    code: 'IMAGE_HASH_MISMATCH',
    mayChange: REFRESHED,
    mount: ({ repository }) => changedFile(repository, /image\.js$/, flipped),
  },
  {
    attack: 'cuts the image short',
    code: 'IMAGE_LENGTH_MISMATCH',
    mayChange: REFRESHED,
    mount: ({ repository }) => changedFile(repository, /image\.js$/, (bytes) => bytes.subarray(1)),
  },
  {
    attack: 'never ends the image',
    code: 'RESPONSE_TOO_LARGE',
    mayChange: REFRESHED,
    mount: async ({ repository }) => {
      await repository.publishRelease(THREE);
      return faultAt(/image\.js$/, { kind: 'endless' });
    },
  },
  {
    attack: 'changes a byte of the provenance',
    code: 'EVIDENCE_MISMATCH',
    mayChange: REFRESHED,
    mount: ({ repository }) => changedFile(repository, /provenance\.json$/, flipped),
  },
  {
    attack: 'serves the provenance of the former release',
    code: 'EVIDENCE_MISMATCH',
    mayChange: REFRESHED,
    mount: ({ repository }) => {
      const former = repository.releases.get('2.0.0')?.provenance ?? new Uint8Array();
      return changedFile(repository, /provenance\.json$/, () => former);
    },
  },
  {
    attack: 'replays an older timestamp',
    code: 'TIMESTAMP_ROLLBACK',
    mayChange: [],
    mount: async ({ repository, device }) => {
      const old = repository.files.get('metadata/timestamp.json') ?? new Uint8Array();
      await repository.publishOnline();
      await device.live();
      repository.files.set('metadata/timestamp.json', old);
      return undefined;
    },
  },
  {
    attack: 'withholds every newer timestamp until the last one has expired',
    code: 'METADATA_EXPIRED',
    mayChange: [],
    mount: ({ repository }) => Promise.resolve({ now: repository.now + DAY_MS }),
  },
  {
    attack: 'never ends the timestamp',
    code: 'RESPONSE_TOO_LARGE',
    mayChange: [],
    mount: () => Promise.resolve(faultAt(/timestamp/, { kind: 'endless' })),
  },
  {
    attack: 'never ends the snapshot',
    code: 'RESPONSE_TOO_LARGE',
    mayChange: [],
    mount: () => Promise.resolve(faultAt(/snapshot/, { kind: 'endless' })),
  },
  {
    attack: 'never ends a next root',
    code: 'RESPONSE_TOO_LARGE',
    mayChange: [],
    mount: () => Promise.resolve(faultAt(/\d\.root\.json$/, { kind: 'endless' })),
  },
  {
    attack: 'serves an older snapshot under the new name',
    code: 'METADATA_HASH_MISMATCH',
    mayChange: [],
    mount: async ({ repository }) => {
      const old = repository.newest('snapshot');
      await repository.publishOnline();
      repository.put('snapshot', repository.newest('snapshot'));
      repository.files.set(
        `metadata/${String(signedOf(repository.newest('snapshot')).get('version'))}.snapshot.json`,
        old,
      );
      return undefined;
    },
  },
  {
    attack: "serves beta's channel as stable's",
    code: 'METADATA_HASH_MISMATCH',
    mayChange: [],
    // A new version of both: what a device holds already it does not ask for.
    mount: async ({ repository }) => {
      await repository.publishRelease({ ...THREE, channels: ['stable', 'beta'] });
      return faultAt(/stable/, { kind: 'replace', bytes: repository.newest('beta').slice() });
    },
  },
  {
    attack: 'serves the whole repository of another product of the same people',
    code: 'REPOSITORY_MISMATCH',
    mayChange: [],
    mount: async () => {
      const other = await makeTinyRepository({ product: 'other' });
      for (let i = 0; i < 4; i++) await other.publishOnline();
      return { files: other.files };
    },
  },
  {
    attack: 'serves the whole repository of other people under the same product name',
    code: 'METADATA_THRESHOLD_UNMET',
    mayChange: [],
    mount: async () => ({ files: (await makeTinyRepository({ seed: 'strangers' })).files }),
  },
  {
    attack: 'answers that the timestamp does not exist',
    code: 'NOT_FOUND',
    mayChange: [],
    mount: () => Promise.resolve(faultAt(/timestamp/, { kind: 'absent' })),
  },
  {
    attack: 'answers nothing at all',
    code: 'NETWORK_UNREACHABLE',
    mayChange: [],
    mount: () => Promise.resolve(faultAt(/./, { kind: 'refuse' })),
  },
  {
    attack: 'answers with something that is no metadata',
    code: 'JSON_MALFORMED',
    mayChange: [],
    mount: () => Promise.resolve(faultAt(/timestamp/, { kind: 'replace', bytes: encodeUtf8('<html>') })),
  },
];

const ONLINE_KEYS: readonly Omit<Attack, 'owns'>[] = [
  {
    attack: 'publishes a channel that nobody has signed',
    code: 'METADATA_THRESHOLD_UNMET',
    mayChange: [],
    mount: ({ repository }) => forgeChannel(repository, {}, []),
  },
  {
    attack: 'signs the channel with the online keys',
    code: 'METADATA_THRESHOLD_UNMET',
    mayChange: [],
    mount: ({ repository }) =>
      forgeChannel(repository, {}, [...signers(repository, 'snapshot'), ...signers(repository, 'timestamp')]),
  },
  {
    attack: "names beta's channel as stable's, where other people sign it",
    code: 'METADATA_THRESHOLD_UNMET',
    mayChange: [],
    mount: ({ repository }) => betaAsStable(repository, false),
  },
  {
    attack: "names beta's channel as stable's, where the same people sign both",
    code: 'ROLE_MISMATCH',
    mayChange: [],
    mount: ({ repository }) => betaAsStable(repository, true),
  },
  {
    attack: 'names an older version of the channel, to a device that has seen the newer one',
    code: 'SNAPSHOT_ROLLBACK',
    mayChange: [],
    mount: async ({ repository }) => {
      const old = repository.files.get('metadata/1.stable.json') ?? new Uint8Array();
      await publishForged(repository, { meta: (meta) => meta.set('stable.json', metaFileOf(1, old)) });
      return undefined;
    },
  },
  {
    attack: 'names an older version of the channel, to a device that has lost its memory of the newer one',
    code: 'CHANNEL_ROLLBACK',
    mayChange: ['cache'],
    mount: async ({ repository, device }) => {
      const old = repository.files.get('metadata/1.stable.json') ?? new Uint8Array();
      await publishForged(repository, { meta: (meta) => meta.set('stable.json', metaFileOf(1, old)) });
      await device.flash.view('system').write('cache', 0, new Uint8Array(device.flash.view('system').sizeOf('cache')));
      return undefined;
    },
  },
  {
    attack: 'drops a channel from the snapshot',
    code: 'SNAPSHOT_ROLLBACK',
    mayChange: [],
    mount: async ({ repository }) => {
      await publishForged(repository, { meta: (meta) => meta.delete('beta.json') });
      return undefined;
    },
  },
  {
    attack: 'has a file of any length announced, and sends it',
    code: 'RESPONSE_TOO_LARGE',
    mayChange: [],
    mount: async ({ repository }) => {
      await publishForged(repository, { named: { length: Number.MAX_SAFE_INTEGER } });
      return faultAt(/snapshot/, { kind: 'endless' });
    },
  },
];

const PEOPLE: readonly Attack[] = [
  {
    owns: 'the online keys and one key of the channel',
    attack: 'signs once',
    code: 'METADATA_THRESHOLD_UNMET',
    mayChange: [],
    mount: ({ repository }) => forgeChannel(repository, {}, signers(repository, 'stable').slice(0, 1)),
  },
  {
    owns: 'the online keys and one key of the channel',
    attack: 'signs twice with it',
    code: 'SHAPE_MALFORMED',
    mayChange: [],
    mount: ({ repository }) => {
      const one = signers(repository, 'stable').slice(0, 1);
      return forgeChannel(repository, {}, [...one, ...one]);
    },
  },
  {
    owns: 'the online keys and every key of the targets role, of beta and of a builder',
    attack: 'signs the channel with them',
    code: 'METADATA_THRESHOLD_UNMET',
    mayChange: [],
    mount: ({ repository }) =>
      forgeChannel(
        repository,
        {},
        ['targets', 'beta', 'builder'].flatMap((role) => [...signers(repository, role)]),
      ),
  },
  {
    owns: 'root keys that a newer root has retired, and the online keys',
    attack: 'grows the chain of roots under them',
    code: 'METADATA_THRESHOLD_UNMET',
    mayChange: [],
    mount: async ({ repository, device }) => {
      const heirs = ['heir 1', 'heir 2'].map(seededSigner);
      const root = { keys: heirs.map(({ key }) => key), threshold: 2 };
      const second = await repository.publishRoot({ quorums: { root }, signers: heirs });
      await repository.publishOnline();
      await device.live();
      await device.start();
      const old = signers(repository, 'root');
      const keys = { root: { keys: old.map(({ key }) => key), threshold: 2 } };
      const third = await (await makeTinyRepository()).publishRoot({ quorums: keys });
      const forged = edited(third, { version: 3, firmament: signedOf(second).get('firmament') ?? null });
      repository.put('root', await repository.sign('root', forged, old));
      return undefined;
    },
  },
];

/** What a whole quorum signs by mistake: the rules that hold even then. */
const QUORUM: readonly (Pick<Attack, 'attack' | 'code'> & { readonly release: ReleaseOptions })[] = [
  { attack: 'releases for other hardware', code: 'HARDWARE_MISMATCH', release: { hardwareIds: ['gw-2'] } },
  { attack: 'releases another component only', code: 'HARDWARE_MISMATCH', release: { component: 'radio' } },
  { attack: 'goes back below the floor of the counter', code: 'IMAGE_ROLLBACK', release: { securityCounter: 1 } },
  {
    attack: 'raises the counter by more than one step allows',
    code: 'COUNTER_JUMP',
    release: { securityCounter: 2 + COUNTER_JUMP_MAX + 1 },
  },
  {
    attack: 'revokes what it releases',
    code: 'IMAGE_REVOKED',
    release: { draft: { revokedDigests: [sha256Hex(simulatedImage('three', 'healthy'))] } },
  },
  {
    attack: 'releases what no listed builder has signed',
    code: 'EVIDENCE_SIGNATURE_INVALID',
    release: { builder: seededSigner('a builder that nobody listed') },
  },
  {
    attack: 'releases the provenance of another image',
    code: 'PROVENANCE_SUBJECT_MISMATCH',
    release: { provenance: { subjects: [{ name: 'image.js', sha256: '00'.repeat(32) }] } },
  },
  {
    attack: 'releases what was built only once',
    code: 'PROVENANCE_NOT_REPRODUCED',
    release: { provenance: { runs: [] } },
  },
];

export const ATTACKS: readonly Attack[] = [
  ...NETWORK.map((row) => ({ ...row, owns: 'the network or the server' })),
  ...ONLINE_KEYS.map((row) => ({ ...row, owns: 'the server and the online keys' })),
  ...PEOPLE,
  ...QUORUM.map(({ attack, code, release }) => ({
    attack,
    code,
    owns: 'a quorum that errs, or was deceived',
    mayChange: REFRESHED,
    mount: async ({ repository }: { readonly repository: TinyRepository }) => {
      await repository.publishRelease({ ...THREE, ...release });
      return undefined;
    },
  })),
];
