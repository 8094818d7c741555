/**
 * The device that no network reaches: a release is carried to it in one file.
 *
 * - The capsule is packed from what the server shows anybody; no key is needed for it.
 * - The device finds it in a folder, as on a stick, judges it by the code that judges a server, and confirms by its own self-test.
 * - Its process is given no address at all; its signed receipt travels back as a file and counts at the signer, once.
 * - So does its request for an identity, over the same stick: it proves what it booted and gets a certificate of hours.
 */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { anyObject, list } from '../formats/decode.ts';
import type { BuiltRelease } from './builds.ts';
import { textOf } from './child.ts';
import { startDevice } from './device-process.ts';
import { must } from './forgery.ts';
import { identityOn } from './identities.ts';
import type { Way } from './journey.ts';
import { newestEventFile } from './releases.ts';
import { seeRollout } from './rollout.ts';
import { CHANNEL, flashOptions, tell, type Stage } from './stage.ts';

const LOOK_MS = '200';

/** Carries the release in force, `newest`, to a device without network, and waits until it has confirmed it. */
export async function carryOffline(
  stage: Stage,
  from: Pick<Way, 'company' | 'repository' | 'fleet' | 'url'>,
  newest: BuiltRelease,
): Promise<void> {
  const { release } = newest.plan;
  const stick = join(stage.folder, 'stick');
  const { deviceId, flash, name } = from.fleet.offline;
  await mkdir(stick, { recursive: true });
  await tell(stage, { step: `capsule ${release}`, by: 'the operator' }, async () => {
    const { root } = from.repository;
    const out = join(stick, `${release}.capsule`);
    const packed = await from.company.operator.run(
      'capsule',
      ...['--url', from.url, '--root-one', root, '--channel', CHANNEL, '--out', out],
    );
    return { detail: `release ${textOf(packed, 'release')} in one file of ${String(packed.get('bytes'))} bytes` };
  });
  const receipts = join(stage.folder, 'receipts');
  await mkdir(receipts);
  const carried = ['--capsules', stick, '--receipts', receipts, '--identities', stick];
  const options = [...flashOptions(flash), ...carried, '--name', name, '--poll-ms', LOOK_MS];
  const device = startDevice(options, stage.onDeviceEvent);
  try {
    await tell(stage, { step: `offline ${release}`, by: name }, async () => {
      const confirmed = await device.next(`confirmation of ${release}`, ({ step }) => step === 'confirm');
      await device.next(`receipt of ${release}`, ({ step, ok }) => step === 'receipt' && ok);
      const ok = confirmed.digest === newest.sha256;
      return { ok, digest: confirmed.digest, detail: 'installed from the file alone, tried, confirmed, and answered' };
    });
    await tell(stage, { step: `offline identity ${release}`, by: name }, async () => {
      const { socket } = from.repository.signer;
      await from.company.operator.run('identity', '--signer', socket, '--folder', stick, '--device', deviceId);
      return identityOn(flash, { company: from.company, built: newest });
    });
  } finally {
    await device.stop();
  }
  await carryBack(stage, from, { release, receipts });
}

/** The receipt travels back: it is read, counts once, completes the rollout, and counts no second time. */
async function carryBack(
  stage: Stage,
  { company, repository }: Pick<Way, 'company' | 'repository'>,
  { release, receipts }: { readonly release: string; readonly receipts: string },
): Promise<void> {
  const [file = ''] = await readdir(receipts);
  const manifests = ['first', 'second'].map((batch) => join(repository.desk, `${batch}.manifest.json`));
  const handIn = ['receipt', join(receipts, file), '--signer', repository.signer.socket];
  await tell(stage, { step: `receipt ${release}`, by: 'the operator' }, async () => {
    const read = await company.operator.run(
      ...[...handIn, '--root', repository.root, '--targets', repository.targets, '--manifest', ...manifests],
      ...['--channel-file', newestEventFile(repository)],
    );
    const [said] = must(list(anyObject, 1)(read.get('receipts') ?? []));
    const [outcome, counts] = [said?.get('outcome'), said?.get('counts')];
    return {
      ok: outcome === 'confirmed' && counts === true,
      detail: 'signed by the start that it speaks of; it counts as the confirmation of its device',
    };
  });
  await seeRollout(stage, repository, {
    ...{ step: 'completed', release },
    wanted: ({ because }) => because === 'completed',
  });
  await tell(stage, { step: `refuse: a receipt handed in twice`, by: 'signer' }, async () => {
    const code = textOf(await company.operator.refusal(...handIn), 'code');
    return { ok: code === 'RECEIPT_STALE', code, detail: 'refused' };
  });
}
