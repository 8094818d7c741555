/**
 * A repository in the shape that tuf-on-ci gives to Sigstore's: ECDSA keys in PEM whose ids are not their digests any more, members
 * `x-tuf-on-ci-...` wherever a tool of theirs puts one, signatures that are still awaited, one online key for two roles, delegations
 * that terminate, targets with `custom`, an old number of the specification, and files laid out for people.
 */
import { describe, expect, test } from 'vitest';
import { encodeUtf8 } from '../../../formats/bytes.ts';
import { sha256Hex } from '../../../formats/sha256.ts';
import type { Signer } from '../../../signer/signer.ts';
import { keysOf, roleOf } from '../../formats/sample-repository.ts';
import { LoadedClient } from './loaded-client.ts';
import { pemSigner } from './pem-signer.ts';
import { SimulatedClient, SimulatedRepository } from './simulated-repository.ts';

const P256 = 'ecdsa-sha2-nistp256';
const HOLDERS = ['@ada', '@ben', '@cleo', '@dan', '@eve'];
const CHANNELS = { 'registry.example.org': ['registry.example.org/*'], team: ['team/*', 'team/*/*'] };
const TARGETS = {
  targets: 'trusted_root.json',
  'registry.example.org': 'registry.example.org/keys.json',
  team: 'team/a/b.bin',
};
const PERIODS = { 'x-tuf-on-ci-expiry-period': 197, 'x-tuf-on-ci-signing-period': 46 };

type Json = Readonly<Record<string, unknown>>;

/** Adds `more` to what stands at its place. */
const adding =
  (more: Json) =>
  (old: unknown): Json => ({ ...(old as Json), ...more });

class OnCiRepository {
  readonly repository: SimulatedRepository = new SimulatedRepository();
  holders: readonly Signer[] = HOLDERS.map(() => pemSigner(P256));
  readonly online: Signer = pemSigner(P256);

  constructor() {
    const { repository, online } = this;
    this.give(this.holders);
    repository.root.roles = { ...repository.root.roles, snapshot: roleOf([online]), timestamp: roleOf([online]) };
    for (const role of ['snapshot', 'timestamp']) repository.signers.set(role, [online]);
    const delegated = Object.entries(CHANNELS).map(([name, paths]) => ({ name, paths, by: pemSigner(P256) }));
    repository.roleOf('targets').delegations = {
      keys: keysOf(delegated.map(({ by }) => by)),
      roles: delegated.map(({ name, paths, by }) => ({ ...roleOf([by]), name, paths, terminating: true })),
    };
    for (const { name, by } of delegated) repository.signers.set(name, [by]);
    for (const [role, name] of Object.entries(TARGETS)) repository.add(role, name, `signed by ${role}`);
  }

  /** Gives root and targets to `holders`, of whom three must sign. */
  give(holders: readonly Signer[]): void {
    const { root, signers } = this.repository;
    const quorum = { ...roleOf(holders), threshold: 3 };
    root.keys = keysOf([...holders, this.online]);
    root.roles = { ...root.roles, root: quorum, targets: quorum };
    for (const role of ['root', 'targets']) signers.set(role, holders);
    this.holders = holders;
  }

  /** Publishes everything, with the signatures of so many of the holders. */
  async publish(signatures: number): Promise<void> {
    const { repository, holders, online } = this;
    await repository.publishAll();
    for (const role of ['root', ...repository.roles.keys(), 'snapshot', 'timestamp']) {
      await repository.rewrite(role, ['spec_version'], '1.0');
      if (role !== 'snapshot' && role !== 'timestamp')
        for (const [name, value] of Object.entries(PERIODS)) await repository.rewrite(role, [name], value);
    }
    for (const [i, { keyid }] of holders.entries())
      await repository.rewrite('root', ['keys', keyid], adding({ 'x-tuf-on-ci-keyowner': HOLDERS[i] }));
    await repository.rewrite('root', ['keys', online.keyid], adding({ 'x-tuf-on-ci-online-uri': 'gcpkms:projects/x' }));
    for (const role of ['snapshot', 'timestamp']) await repository.rewrite('root', ['roles', role], adding(PERIODS));
    const custom = { sigstore: { status: 'Active', uri: 'https://log.example', usage: 'Unknown' } };
    await repository.rewrite('targets', ['targets', TARGETS.targets], adding({ custom }));
    for (const role of ['root', 'targets'])
      for (let i = signatures; i < holders.length; i++) repository.tamper(role, ['signatures', i, 'sig'], '');
    for (const [path, bytes] of repository.files)
      if (path.startsWith('metadata/')) repository.files.set(path, laidOut(bytes));
  }
}

/** As `json.dumps(indent=1)` writes it. */
function laidOut(bytes: Uint8Array): Uint8Array {
  return encodeUtf8(JSON.stringify(JSON.parse(new TextDecoder().decode(bytes)), undefined, 1));
}

const CLIENTS = [
  ['the client of the sources', (r: SimulatedRepository) => Promise.resolve(new SimulatedClient(r))],
  ['the committed executable', (r: SimulatedRepository) => LoadedClient.of(r)],
] as const;

describe.each(CLIENTS)('%s', (_, clientOf) => {
  test('reads it, finds what each role lists, and follows it over a change of holders', async () => {
    const onCi = new OnCiRepository();
    const { repository } = onCi;
    await onCi.publish(3);
    const client = await clientOf(repository);
    await client.init();
    const digests = Object.keys(TARGETS).map((role) => sha256Hex(encodeUtf8(`signed by ${role}`)));
    expect(await client.find(...Object.values(TARGETS))).toEqual(digests);
    const kept = await client.refresh();
    expect(kept).toBe('registry.example.org 1, root 1, snapshot 1, targets 1, team 1, timestamp 1');
    onCi.give([...onCi.holders.slice(1), pemSigner(P256)]);
    await onCi.publish(4);
    expect(await client.refresh()).toContain('root 2, snapshot 2, targets 2');
  });

  test('refuses it where one signature of the holders is awaited still', async () => {
    const onCi = new OnCiRepository();
    await onCi.publish(3);
    const client = await clientOf(onCi.repository);
    await client.init();
    await onCi.publish(2);
    expect(await client.refresh()).toBe('METADATA_THRESHOLD_UNMET');
    expect(client.versions()).toBe('root 1');
  });
});
