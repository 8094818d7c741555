/** The decision to boot: every rule with the code of its refusal, at the limit and one beyond it. */
import { beforeAll, describe, expect, test } from 'vitest';
import { parseBootBundle } from '../../../formats/boot-bundle.ts';
import type { JsonObject, JsonValue } from '../../../formats/json.ts';
import { COUNTER_JUMP_MAX } from '../../../formats/floors.ts';
import { sha256Hex } from '../../../formats/sha256.ts';
import { verifyBundle, verifyOpenBundle, type DeviceTrust } from '../../../bootloader-verifier/boot/verify-bundle.ts';
import { parsedRole } from '../../../signer/parsed-role.ts';
import type { Signer } from '../../../signer/signer.ts';
import { seededRandom } from '../../../simulation/seed.ts';
import { GRAPH_EMPTY } from '../../../formats/update-graph.ts';
import { seededSigner } from '../../seeded-signer.ts';
import { SEED } from '../../simulation/seed.ts';
import { edited, withPart } from '../../edited-metadata.ts';
import { rememberingCheck } from '../../tiny-device.ts';
import { tinyProvenance } from '../../tiny-release.ts';
import {
  makeTinyRepository,
  signedOf,
  type PublishedRelease,
  type ReleaseOptions,
  type TinyRepository,
} from '../../tiny-repository.ts';

const check = rememberingCheck();
let repository: TinyRepository;
let release: PublishedRelease;
let roots: readonly Signer[];
let managers: readonly Signer[];
let people: readonly Signer[];

beforeAll(async () => {
  repository = await makeTinyRepository({ first: { securityCounter: 5 } });
  await repository.publishRoot();
  release = repository.releases.get('1.0.0') ?? expect.unreachable();
  roots = repository.signers.get('root') ?? [];
  people = repository.signers.get('targets') ?? [];
  managers = repository.signers.get('stable') ?? [];
});

/** The floors of a device at this channel version, counter and root. */
function device(floors: Partial<{ channel: number; counter: number }> = {}, own = repository): DeviceTrust {
  const { channel = 0, counter = 0 } = floors;
  return own.device({
    check,
    floors: {
      ...own.floors,
      channelVersions: new Map([['stable', channel]]),
      securityCounters: new Map([['gateway', counter]]),
    },
  });
}

function judge(change: Parameters<TinyRepository['bundle']>[1], by: DeviceTrust = device()): string {
  const bytes = repository.bundle('1.0.0', change);
  const verdict = verifyBundle(bytes, by);
  const bundle = parseBootBundle(bytes);
  // The publisher judges what it has not written yet, and reads each file once.
  if (bundle.ok) expect(verifyOpenBundle(bundle.value, { ...by, parse: parsedRole })).toEqual(verdict);
  return verdict.ok ? 'accepted' : verdict.code;
}

/** Who owns a quorum of each role and signs whatever the test wants: the rules must hold even then. */
const sign = {
  root: (signed: JsonValue, by = roots) => repository.sign('root', signed, by),
  targets: (signed: JsonValue, by = people) => repository.sign('targets', signed, by),
  channel: (signed: JsonValue, by = managers) => repository.sign('stable', signed, by),
};

test('what the quorums have signed is permitted, with everything that the floors need', () => {
  const main = {
    component: 'gateway',
    installer: 'slot',
    order: 1,
    firmwareVersion: '1.0.0',
    securityCounter: 5,
    image: { name: '1.0.0/gateway/image.js', length: release.image.length, sha256: sha256Hex(release.image) },
    builderId: 'https://builder.example/two-runs',
  };
  expect(verifyBundle(release.bundle, device())).toEqual({
    ok: true,
    value: {
      repository: repository.id,
      root: { version: 1, sha256: repository.id.rootOneSha256 },
      channel: { name: 'stable', version: 1, inForce: '1.0.0' },
      release: '1.0.0',
      plan: undefined,
      ways: { inForce: { release: '1.0.0', version: '1.0.0' }, waypoints: [], graph: GRAPH_EMPTY },
      components: [main],
      main,
      imagesSha256: sha256Hex(new TextEncoder().encode(`gateway ${main.image.sha256}\n`)),
    },
  });
  expect(judge({})).toBe('accepted');
});

describe('signatures', () => {
  test('one signature less than the threshold is refused, for the targets role and for the channel', async () => {
    const targets = await sign.targets(signedOf(repository.newest('targets')), people.slice(0, 1));
    const channel = await sign.channel(signedOf(repository.newest('stable')), managers.slice(0, 1));
    expect(judge({ targets })).toBe('METADATA_THRESHOLD_UNMET');
    expect(judge({ channel })).toBe('METADATA_THRESHOLD_UNMET');
  });

  test('a part that one key has signed twice is refused: a key id signs once', async () => {
    const [one] = managers;
    const twice = await sign.channel(
      signedOf(repository.newest('stable')),
      [one, one].filter((s) => s !== undefined),
    );
    expect(judge({ channel: twice })).toBe('SHAPE_MALFORMED');
  });

  test('one key under two key ids counts once', async () => {
    const [one = expect.unreachable()] = managers;
    const targets = signedOf(repository.newest('targets'));
    const delegations = targets.get('delegations') as JsonObject;
    const keys = new Map(delegations.get('keys') as JsonObject);
    keys.set('alias', keys.get(one.keyid) ?? null);
    const delegatedRoles = (delegations.get('roles') as readonly JsonObject[]).map(
      (role) => new Map([...role, ['keyids', [one.keyid, 'alias']]]),
    );
    targets.set(
      'delegations',
      new Map<string, JsonValue>([
        ['keys', keys],
        ['roles', delegatedRoles],
      ]),
    );
    const channel = await sign.channel(signedOf(repository.newest('stable')), [one, { ...one, keyid: 'alias' }]);
    expect(judge({ targets: await sign.targets(targets), channel })).toBe('METADATA_THRESHOLD_UNMET');
  });

  test('the keys of one role sign no other: not the root for targets, not targets for a channel, nor one channel for another', async () => {
    const beta = repository.signers.get('beta') ?? [];
    expect(judge({ targets: await sign.targets(signedOf(repository.newest('targets')), roots) })).toBe(
      'METADATA_THRESHOLD_UNMET',
    );
    for (const others of [people, roots, beta]) {
      expect(judge({ channel: await sign.channel(signedOf(repository.newest('stable')), others) })).toBe(
        'METADATA_THRESHOLD_UNMET',
      );
    }
  });

  test('a changed byte of what was signed leaves no signature valid', async () => {
    const part = withPart(repository.newest('stable'), { minSecurityCounter: 1 });
    const file = signedOf(repository.newest('stable'));
    const channel = new TextEncoder().encode(
      new TextDecoder().decode(await sign.channel(part)).replace('"minSecurityCounter":1', '"minSecurityCounter":0'),
    );
    expect(judge({ channel: await sign.channel(file) })).toBe('accepted');
    expect(judge({ channel })).toBe('METADATA_THRESHOLD_UNMET');
  });

  test('a channel that nobody delegated is refused, although its keys would be at hand', async () => {
    const by = { ...device(), factory: { ...repository.factory, channelName: 'nightly' } };
    expect(judge({}, by)).toBe('ROLE_NOT_DELEGATED');
  });
});

describe('binding of each part to its repository and role (R1)', () => {
  test('a part that names another role is refused where it is served, although the keys are right', async () => {
    const swapped = withPart(repository.newest('stable'), { role: 'beta' });
    expect(judge({ channel: await sign.channel(swapped) })).toBe('ROLE_MISMATCH');
    const targets = withPart(repository.newest('targets'), { role: 'stable' });
    expect(judge({ targets: await sign.targets(targets) })).toBe('ROLE_MISMATCH');
  });

  test('a part that names another product or another root 1 is refused', async () => {
    for (const change of [{ product: 'other' }, { root: '00'.repeat(32) }, { root: undefined }]) {
      const channel = await sign.channel(withPart(repository.newest('stable'), change));
      expect(judge({ channel })).toBe('REPOSITORY_MISMATCH');
      const targets = await sign.targets(withPart(repository.newest('targets'), change));
      expect(judge({ targets })).toBe('REPOSITORY_MISMATCH');
    }
  });

  test('a part that names no repository is refused', async () => {
    for (const role of ['targets', 'stable'] as const) {
      const signed = signedOf(repository.newest(role));
      signed.delete('firmament');
      const file =
        role === 'targets' ? { targets: await sign.targets(signed) } : { channel: await sign.channel(signed) };
      expect(judge(file)).toBe('REPOSITORY_UNBOUND');
    }
  });

  test('a later root that names another repository, or none, is refused', async () => {
    const [first = expect.unreachable()] = repository.roots();
    const second = repository.newest('root');
    const other = await sign.root(withPart(second, { root: '00'.repeat(32) }));
    const none = await sign.root(withPart(second, { root: undefined }));
    const asTargets = await sign.root(withPart(second, { role: 'targets' }));
    expect(judge({ roots: [first, second] })).toBe('accepted');
    expect(judge({ roots: [first, other] })).toBe('REPOSITORY_MISMATCH');
    expect(judge({ roots: [first, none] })).toBe('REPOSITORY_MISMATCH');
    expect(judge({ roots: [first, asTargets] })).toBe('ROLE_MISMATCH');
  });
});

describe('floors (R9, R11)', () => {
  test('a channel at its floor is accepted, one below is refused', () => {
    expect(judge({}, device({ channel: 1 }))).toBe('accepted');
    expect(judge({}, device({ channel: 2 }))).toBe('CHANNEL_ROLLBACK');
  });

  test('a counter at its floor is accepted, one below is refused', () => {
    expect(judge({}, device({ counter: 5 }))).toBe('accepted');
    expect(judge({}, device({ counter: 6 }))).toBe('IMAGE_ROLLBACK');
  });

  test('a counter at the least that the channel demands is accepted, one below is refused', async () => {
    for (const [minSecurityCounter, expected] of [
      [5, 'accepted'],
      [6, 'IMAGE_ROLLBACK'],
    ] as const) {
      const channel = await sign.channel(withPart(repository.newest('stable'), { minSecurityCounter }));
      expect(judge({ channel })).toBe(expected);
    }
  });

  test('a counter may jump by the limit and by no more', async () => {
    for (const [counter, expected] of [
      [COUNTER_JUMP_MAX, 'accepted'],
      [COUNTER_JUMP_MAX + 1, 'COUNTER_JUMP'],
    ] as const) {
      const own = await makeTinyRepository({ first: { securityCounter: counter } });
      expect(codeOf(own)).toBe(expected);
      expect(codeOf(own, device({ counter: 1 }, own))).toBe('accepted');
    }
  });

  test('floors of another channel or component bind nothing here', () => {
    const { floors } = repository;
    const others = {
      ...floors,
      channelVersions: new Map([['beta', 9]]),
      securityCounters: new Map([['radio', 9]]),
    };
    expect(judge({}, repository.device({ check, floors: others }))).toBe('accepted');
  });

  test('a root chain that does not contain the pinned root is refused', () => {
    const [first = expect.unreachable()] = repository.roots();
    const second = repository.newest('root');
    const floors = { ...repository.floors, root: { version: 2, sha256: sha256Hex(second) } };
    expect(judge({ roots: [first, second] }, repository.device({ check, floors }))).toBe('accepted');
    expect(judge({ roots: [second] }, repository.device({ check, floors }))).toBe('accepted');
    expect(judge({ roots: [first] }, repository.device({ check, floors }))).toBe('ROOT_ROLLBACK');
  });

  test('a revoked image is refused under every release that names it', async () => {
    const revokedDigests = [sha256Hex(release.image)];
    const channel = await sign.channel(withPart(repository.newest('stable'), { revokedDigests }));
    expect(judge({ channel })).toBe('IMAGE_REVOKED');
    const other = await sign.channel(withPart(repository.newest('stable'), { revokedDigests: ['00'.repeat(32)] }));
    expect(judge({ channel: other })).toBe('accepted');
  });

  test('expiry plays no part: a device without a clock starts', async () => {
    const long = { expires: '2000-01-01T00:00:00Z' };
    const targets = await sign.targets(edited(repository.newest('targets'), long));
    const channel = await sign.channel(edited(repository.newest('stable'), long));
    expect(judge({ targets, channel })).toBe('accepted');
  });
});

describe('the release', () => {
  test('an image for other hardware, or without the component that this device is, is refused', async () => {
    expect(codeOf(await makeTinyRepository({ first: { hardwareIds: ['gw-2', 'gw-3'] } }))).toBe('HARDWARE_MISMATCH');
    expect(codeOf(await makeTinyRepository({ first: { hardwareIds: ['gw-2', 'gw-1'] } }))).toBe('accepted');
    expect(codeOf(await makeTinyRepository({ first: { component: 'radio' } }))).toBe('HARDWARE_MISMATCH');
  });

  test('a release that the channel does not list is refused', () => {
    expect(judge({ release: '9.9.9' })).toBe('RELEASE_MALFORMED');
  });

  test('a channel or targets part that is not understood whole is refused', async () => {
    const channel = await sign.channel(withPart(repository.newest('stable'), { wave: 3 }));
    expect(judge({ channel })).toBe('RELEASE_MALFORMED');
    const targets = await sign.targets(withPart(repository.newest('targets'), { log: 'here' }));
    expect(judge({ targets })).toBe('RELEASE_MALFORMED');
  });

  test('a channel that lists a target outside of the paths it was given is refused', async () => {
    const targets = signedOf(repository.newest('stable')).get('targets') as JsonObject;
    const [image = expect.unreachable()] = targets.values();
    for (const name of ['top.js', '1.0.0/gateway/deep/image.js']) {
      const channel = edited(repository.newest('stable'), { targets: new Map([...targets, [name, image]]) });
      expect(judge({ channel: await sign.channel(channel) })).toBe('TARGET_NAME_REFUSED');
    }
  });

  test('no single bit of a bundle can be another: each changed one is refused', () => {
    const random = seededRandom(SEED);
    for (let i = 0; i < 400; i++) {
      const changed = release.bundle.slice();
      const at = random(changed.length);
      changed[at] = (changed[at] ?? 0) ^ (1 << random(8));
      expect(verifyBundle(changed, device()).ok, `byte ${at}, seed ${SEED}`).toBe(false);
    }
  });

  test('bytes that are no bundle, or the bundle cut short, are refused', () => {
    expect(verifyBundle(release.bundle.subarray(0, -1), device())).toMatchObject({ code: 'BOOT_BUNDLE_MALFORMED' });
    expect(verifyBundle(new Uint8Array(), device())).toMatchObject({ code: 'BOOT_BUNDLE_MALFORMED' });
  });
});

function codeOf(own: TinyRepository, by: DeviceTrust = own.device({ check })): string {
  const verdict = verifyBundle(own.releases.get('1.0.0')?.bundle ?? expect.unreachable(), by);
  return verdict.ok ? 'accepted' : verdict.code;
}

describe('the provenance', () => {
  const outcome = async (first: ReleaseOptions): Promise<string> => codeOf(await makeTinyRepository({ first }));
  const digest = 'ab'.repeat(32);

  test('another file than the one that the channel names by digest is refused, although the builder signed it', async () => {
    const other = await makeTinyRepository({ first: { provenance: { invocationId: 'https://builder.example/2' } } });
    const provenance = other.releases.get('1.0.0')?.provenance ?? expect.unreachable();
    expect(judge({ evidence: [{ component: 'gateway', provenance }] })).toBe('EVIDENCE_MISMATCH');
  });

  test('a provenance that no listed builder has signed is refused', async () => {
    expect(await outcome({ builder: seededSigner('a builder that nobody listed') })).toBe('EVIDENCE_SIGNATURE_INVALID');
    const [person] = repository.signers.get('stable') ?? [];
    expect(await outcome(person === undefined ? {} : { builder: person })).toBe('EVIDENCE_SIGNATURE_INVALID');
  });

  test('a provenance about another image is refused', async () => {
    expect(await outcome({ provenance: { subjects: [{ name: 'image.js', sha256: digest }] } })).toBe(
      'PROVENANCE_SUBJECT_MISMATCH',
    );
  });

  test('a provenance that names another builder than its signer, or another source, is refused', async () => {
    expect(await outcome({ provenance: { builderId: 'https://builder.example/other' } })).toBe(
      'PROVENANCE_BUILDER_MISMATCH',
    );
    const uri = 'git+https://source.example/fork.git';
    const { source, externalParameters } = tinyProvenance('image.js', digest);
    const fork = { source: { ...source, uri }, externalParameters: { ...externalParameters, source: uri } };
    expect(await outcome({ provenance: fork })).toBe('PROVENANCE_SOURCE_MISMATCH');
  });

  test('a builder vouches under its own name only, although another listed builder signed', async () => {
    const own = await makeTinyRepository();
    const second = seededSigner('second builder');
    const source = 'git+https://source.example/gateway.git';
    await own.publishTargets({ builders: [{ id: 'https://second.example', key: second.key, source }] });
    const honest = await own.publishRelease({ builder: second, provenance: { builderId: 'https://second.example' } });
    expect(verifyBundle(honest.bundle, own.device({ check })).ok).toBe(true);
    const borrowed = await own.publishRelease({ builder: second });
    expect(verifyBundle(borrowed.bundle, own.device({ check }))).toMatchObject({ code: 'PROVENANCE_BUILDER_MISMATCH' });
  });

  test('a provenance of fewer than two runs that agree with the image is refused', async () => {
    expect(await outcome({ provenance: { runs: [] } })).toBe('PROVENANCE_NOT_REPRODUCED');
    const own = await makeTinyRepository();
    const image = own.releases.get('1.0.0')?.image ?? expect.unreachable();
    const { runs } = tinyProvenance('image.js', sha256Hex(image));
    const [one = expect.unreachable(), two = expect.unreachable()] = runs;
    expect(await outcome({ provenance: { runs: [one] } })).toBe('PROVENANCE_NOT_REPRODUCED');
    expect(await outcome({ provenance: { runs: [one, { ...two, sha256: digest }] } })).toBe(
      'PROVENANCE_NOT_REPRODUCED',
    );
    expect(await outcome({ provenance: { runs: [one, { ...two, surroundings: one.surroundings }] } })).toBe(
      'PROVENANCE_NOT_REPRODUCED',
    );
  });

  test('evidence that is no envelope, or whose payload is no provenance, is refused', async () => {
    expect(await outcome({ provenanceBytes: new TextEncoder().encode('{}') })).toBe('ENVELOPE_MALFORMED');
    expect(await outcome({ provenance: { invocationId: '' } })).toBe('STATEMENT_MALFORMED');
  });
});
