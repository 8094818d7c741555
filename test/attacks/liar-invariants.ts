/**
 * What must hold after every round of the liar's, whatever it did.
 *
 * - Devices: whatever came to life was approved for this device, at or above its floors, and if it was planned, in an open wave; no
 *   device is bricked, no floor ever falls.
 * - Signer: whatever its keys signed and let out is over what people approved, or over its own steps, which keep to plan and fleet.
 * - Identities: a certificate is for a key that its own device made, of a release that this device ran; no device is taken for two.
 * - People: a tool has signed what was told and shown, nothing else.
 * - Nothing that the signer acknowledged is lost.
 */
import { X509Certificate } from 'node:crypto';
import { encodeHex, equalBytes, parseHex } from '../../formats/bytes.ts';
import { cohortOf } from '../../formats/cohort.ts';
import { parseChannelPart } from '../../formats/channel-part.ts';
import { parseCheckpoint } from '../../formats/checkpoint.ts';
import type { Floors } from '../../formats/floors.ts';
import { parseLogLeaf } from '../../formats/log-leaf.ts';
import { parseEntryBundle } from '../../formats/log-tiles.ts';
import { planDigest, type Plan } from '../../formats/plan.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { parseSnapshot, parseTimestamp } from '../../formats/tuf-snapshot.ts';
import { parseTargets } from '../../formats/tuf-targets.ts';
import { parseWaveStep, type WaveStep } from '../../formats/wave-step.ts';
import { expectedRoot } from '../../signer/rollout/expected-devices.ts';
import { parseHeardWord } from '../../signer/rollout/heard-word.ts';
import { accepted } from '../accepted.ts';
import { CHANNELS, type Chain } from './liar-chain.ts';
import { personSigned } from './liar-people-moves.ts';
import type { Liar, Victim } from './liar.ts';

/** What has been looked at already, so that a round costs what it brought. */
export type Watch = {
  readonly runs: Map<Victim, number>;
  readonly floors: Map<Victim, Floors>;
  readonly seen: Set<string>;
  /** The root of the log at each size that was ever shown. */
  readonly roots: Map<number, string>;
  certificates: number;
};

/** Nothing was looked at yet. */
export function startWatch(): Watch {
  return { runs: new Map(), floors: new Map(), seen: new Set(), roots: new Map(), certificates: 0 };
}

/** Throws, and says what, if something holds no longer. */
export async function assertInvariants(liar: Liar, watch: Watch): Promise<void> {
  for (const victim of liar.victims) await assertDevice(liar, victim, watch);
  for (const [name, bytes] of liar.chain.written) {
    const key = `${name} ${sha256Hex(bytes)}`;
    if (!watch.seen.has(key)) assertWritten(liar.chain, { name, bytes }, watch);
    watch.seen.add(key);
  }
  assertCertificates(liar, watch);
  assertNothingLost(liar);
  const { signed, withdrawn } = await personSigned(liar);
  for (const { digest, told, shown } of signed) {
    demand(told === undefined || told === digest, 'a tool signed what its person was not told of');
    demand(shown.includes(digest) && digest !== withdrawn, 'a tool signed what it did not show, or what was withdrawn');
  }
}

function demand(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`INVARIANT: ${what}`);
}

async function assertDevice({ chain }: Liar, victim: Victim, watch: Watch): Promise<void> {
  const { device, member } = victim;
  const { repository } = chain;
  const before = watch.floors.get(victim);
  const floors = await device.floors();
  const counter = (of: Floors | undefined): number => of?.securityCounters.get('gateway') ?? 0;
  demand(counter(floors) >= counter(before), 'a floor has fallen');
  demand(floors.root.version >= (before?.root.version ?? 0), 'the floor of the root has fallen');
  for (const { sha256, mode } of device.runs.slice(watch.runs.get(victim) ?? 0)) {
    const release = [...repository.releases.values()].find(({ image }) => sha256Hex(image) === sha256);
    demand(release !== undefined, `a device ran an image that nobody approved: ${sha256}`);
    const [component] = release.components;
    demand((component?.draft.securityCounter ?? 0) >= counter(before), 'a device ran what lies below its floor');
    if (mode === 'trial') assertInWave(chain, release.release, member.deviceId);
  }
  watch.runs.set(victim, device.runs.length);
  watch.floors.set(victim, floors);
}

/** The plan of `release` in the approved files of `stable`, if it came with one. */
function planOf({ written, approved }: Chain, release: string): Plan | undefined {
  for (const [name, bytes] of written) {
    if (!name.endsWith('.stable.json') || !approved.has(sha256Hex(bytes))) continue;
    const part = parseChannelPart(accepted(parseTargets(bytes)).signed.firmament);
    if (part.ok && part.value.plan?.release === release) return part.value.plan;
  }
  return undefined;
}

function stepsOf({ written }: Chain): readonly WaveStep[] {
  return [...written]
    .filter(([name]) => name.endsWith('.stable-rollout.json'))
    .map(([, bytes]) => accepted(parseWaveStep(accepted(parseTargets(bytes)).signed.firmament)));
}

/** A device tries a planned release only if a step of the signer's has let its own cohort in. */
function assertInWave(chain: Chain, release: string, deviceId: string): void {
  const plan = planOf(chain, release);
  if (plan === undefined) return;
  const planSha256 = planDigest(plan, { ...chain.repository.id, channel: 'stable' });
  const isIn = stepsOf(chain).some((step) => {
    if (step.plan !== planSha256) return false;
    const bound = step.completedAt === undefined ? (plan.waves[step.open.length - 1]?.cohortBp ?? 0) : 10_000;
    return cohortOf({ planSha256, anchor: step.anchor, deviceId }) < bound;
  });
  demand(isIn, `a device took ${release} although its wave was not open`);
}

/** What the signer let out as `name`: every signature of its keys is over what people approved, or its own narrowing of that. */
function assertWritten(
  chain: Chain,
  { name, bytes }: { readonly name: string; readonly bytes: Uint8Array },
  watch: Watch,
): void {
  const { approved, written, repository } = chain;
  const role = /\/(?:\d+\.)?([a-z-]+)\.json$/.exec(name)?.[1];
  if (name.includes('/metadata/')) {
    if (role === 'timestamp') {
      const { version, sha256 } = accepted(parseTimestamp(bytes)).signed.snapshot;
      const snapshot = written.get(`gateway/metadata/${version}.snapshot.json`);
      demand(snapshot !== undefined && sha256Hex(snapshot) === sha256, 'a timestamp names a snapshot of nobody');
    } else if (role === 'snapshot') {
      for (const [file, meta] of accepted(parseSnapshot(bytes)).signed.meta) {
        const named = written.get(`gateway/metadata/${meta.version}.${file}`);
        demand(named !== undefined && sha256Hex(named) === meta.sha256, `a snapshot names a ${file} of nobody`);
        const own = file.endsWith('-rollout.json');
        demand(own || approved.has(meta.sha256 ?? ''), `a snapshot names a ${file} that nobody approved`);
      }
    } else if (role?.endsWith('-rollout') === true) assertStep(chain, bytes);
    else demand(approved.has(sha256Hex(bytes)), `${name} was published, and nobody approved it`);
  } else if (name.includes('/log/tile/entries/')) {
    const width = Number(/\.p\/(\d+)$/.exec(name)?.[1] ?? 256);
    for (const entry of accepted(parseEntryBundle(bytes, width))) {
      const leaf = accepted(parseLogLeaf(entry));
      demand(leaf.product === repository.id.product && approved.has(leaf.sha256), 'the log holds what nobody approved');
    }
  } else if (name.endsWith('/log/checkpoint')) {
    const { size, rootHash } = accepted(parseCheckpoint(bytes));
    const before = watch.roots.get(size) ?? encodeHex(rootHash);
    demand(before === encodeHex(rootHash), `the log has two faces at size ${size}`);
    demand(size >= Math.max(0, ...watch.roots.keys()), 'the log has become shorter');
    watch.roots.set(size, before);
  } else if (name.includes('/targets/')) {
    const sha256 = /\/([0-9a-f]{64})\.[^/]+$/.exec(name)?.[1];
    demand(sha256 === sha256Hex(bytes), `${name} is not what its name says`);
  }
}

/** A step keeps to an approved plan, and expects nobody but the fleet. */
function assertStep(chain: Chain, bytes: Uint8Array): void {
  const { fleet, repository, approved, written } = chain;
  const step = accepted(parseWaveStep(accepted(parseTargets(bytes)).signed.firmament));
  const plans = [...written]
    .filter(([name, file]) => name.endsWith('.stable.json') && approved.has(sha256Hex(file)))
    .map(([, file]) => accepted(parseChannelPart(accepted(parseTargets(file)).signed.firmament)).plan);
  const place = { ...repository.id, channel: 'stable' };
  const plan = plans.find((each) => each !== undefined && planDigest(each, place) === step.plan);
  demand(plan !== undefined, 'a wave was opened for a plan that nobody approved');
  for (const [wave, { openedAt, expected }] of step.open.entries()) {
    const from = plan.waves[wave - 1]?.cohortBp ?? 0;
    const to = plan.waves[wave]?.cohortBp ?? 0;
    const ids = fleet
      .map(({ deviceId }) => ({ deviceId, cohort: cohortOf({ planSha256: step.plan, anchor: step.anchor, deviceId }) }))
      .filter(({ cohort }) => cohort >= from && cohort < to)
      .map(({ deviceId }) => deviceId)
      .sort();
    demand(
      expected.count === ids.length && expected.merkleRoot === expectedRoot(ids),
      'a wave expects others than the fleet',
    );
    const soaked =
      wave === 0
        ? plan.notBefore
        : (step.open[wave - 1]?.openedAt ?? 0) + (plan.waves[wave - 1]?.soakSeconds ?? 0) * 1000;
    demand(openedAt >= soaked, 'a wave opened before its time');
  }
}

/** Every signature of the CA is in one of the certificates, and each of them is its device's own. */
function assertCertificates({ issued, chain, victims }: Liar, watch: Watch): void {
  const signatures = chain.signed.filter(({ by }) => by === 'ca').length;
  demand(signatures === issued.length, 'the CA has signed something else than what it issued');
  for (const { certificate, deviceId } of issued.slice(watch.certificates)) {
    const { subject, publicKey } = new X509Certificate(certificate);
    const victim = victims.find(({ member }) => member.deviceId === deviceId);
    demand(victim !== undefined && subject === `serialNumber=${deviceId}`, 'a certificate for a device of nobody');
    const raw = parseHex(Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('hex'));
    demand(
      raw !== undefined && victim.keys.some((key) => equalBytes(key, raw)),
      'a certificate for a key that its device never made',
    );
  }
  watch.certificates = issued.length;
}

/** Words that were acknowledged stand in the books; and what the newest snapshot names only ever grows. */
function assertNothingLost({ acknowledged, chain }: Liar): void {
  const kept = [...chain.books.entries.values()].map(parseHeardWord).flatMap((word) => (word.ok ? [word.value] : []));
  for (const word of acknowledged) {
    const isKept = kept.some(({ envelope }) => equalBytes(envelope, word));
    demand(isKept, 'a word that was acknowledged is lost');
  }
}

/** The devices of a fleet at the end: one identity each, none taken for two. */
export async function assertWhole({ chain, victims }: Liar): Promise<void> {
  for (const { member, device } of victims) {
    const known = await chain.issuing.ledger.read(member.deviceId);
    demand(!known.isForked, 'the liar has ended an identity for ever');
    demand(known.current !== undefined, 'a device has no identity in the end');
    const started = await device.start();
    demand(started.kind === 'started', 'a device does not start any more');
  }
  demand(CHANNELS.length > 1, 'channels can be mixed');
}
