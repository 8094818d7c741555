/**
 * What a request for an identity is judged by: what people approve now, read from what this signer itself has published (R6, R7).
 *
 * - The signer's memory says which snapshot is the newest; the store only supplies its bytes. A store that lags behind, shows other
 *   bytes, or has seen another signer gives nothing to judge by, and then nothing is issued.
 * - Devices are those of the manifests that factories signed and this signer admitted; the CA's name is that of the anchor with its key.
 * - What was read is kept while memory and register stay as they were, for a minute at most: a request costs no look at all files.
 */
import type { Instant } from '../../formats/instant.ts';
import type { SignatureCheck } from '../../formats/signature-check.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import type { ObjectStore } from '../object-store.ts';
import { readCurrent, type ReadCode } from '../read-published.ts';
import { repositoryIn } from '../rollout/read-rollout.ts';
import type { Signer } from '../signer.ts';
import type { SignerMemory } from '../signer-state.ts';
import type { DeviceRegister } from './device-register.ts';
import type { IssuingView } from './issue-identity.ts';
import { verifyApprovedReleases } from './verify-approved-releases.ts';
import type { ManifestsCode } from './verify-manifests.ts';

export type ApprovedSource = {
  readonly store: ObjectStore;
  readonly memory: Pick<SignerMemory, 'read'>;
  readonly product: string;
  readonly register: DeviceRegister;
  readonly caSigner: Signer;
  readonly check: SignatureCheck;
};
export type ViewCode = ReadCode | ManifestsCode | 'BOOT_NOT_APPROVED' | 'CA_NOT_LISTED';
/** Reads the view of `now`. */
export type ViewReader = (now: Instant) => Promise<Verdict<IssuingView, ViewCode>>;

const KEPT_MS_MAX = 60_000;

/** A reader that reads anew when something has changed. */
export function openViewReader(source: ApprovedSource): ViewReader {
  let kept: { readonly of: string; readonly until: Instant; readonly view: IssuingView } | undefined;
  return async (now) => {
    const state = await source.memory.read();
    if (state === undefined) return reject('BOOT_NOT_APPROVED', 'nothing is published yet');
    const of = `${state.held ?? ''} ${state.timestampVersion} ${state.snapshotSha256} ${source.register.revision()}`;
    if (kept?.of === of && kept.view.now <= now && now < kept.until) return accept({ ...kept.view, now });
    kept = undefined;
    const view = await readView(source, now);
    if (view.ok) kept = { of, until: Math.min(now + KEPT_MS_MAX, view.value.approved.until), view: view.value };
    return view;
  };
}

async function readView(source: ApprovedSource, now: Instant): Promise<Verdict<IssuingView, ViewCode>> {
  const { register, caSigner, check } = source;
  const published = await readCurrent(source);
  if (!published.ok) return published;
  const { state } = published.value;
  if (state === undefined) return reject('BOOT_NOT_APPROVED', 'nothing is published yet');
  const repository = repositoryIn(state);
  const approved = verifyApprovedReleases(published.value, repository, { now, check });
  if (!approved.ok) return approved;
  const { factories, identityAnchors } = approved.value.trust;
  const anchor = identityAnchors?.find(({ key }) => key.keytype === 'ed25519' && key.public === caSigner.key.public);
  if (anchor === undefined) return reject('CA_NOT_LISTED', `${caSigner.keyid.slice(0, 12)}… is listed under no name`);
  const devices = await register.describe({ repository, factories: factories ?? [], now, check });
  if (!devices.ok) return devices;
  return accept({ devices: devices.value, approved: approved.value, ca: { name: anchor.name, signer: caSigner }, now });
}
