/**
 * Attacks on identities: each a real request at the front of EST, by somebody who has the flash of the device, or hears its network.
 *
 * - A device of class `claimed` keeps its secret in a file: whoever has the flash can sign whatever it could. What it cannot do is
 *   prove a start that nobody approved, or go back behind what was proven.
 * - Each must be refused with its own code, and the device's identity stands after all of them.
 */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { flashFiles } from '../bootloader-verifier/agent/flash-files.ts';
import { identityClientHttp } from '../bootloader-verifier/agent/identity-client-http.ts';
import type { ConnectedIdentityClient } from '../bootloader-verifier/agent/identity-client.ts';
import { freshKeyNode } from '../bootloader-verifier/agent/identity-key-node.ts';
import { installerFile, MICROCONTROLLER_BYTES } from '../bootloader-verifier/agent/installer-file.ts';
import { proveIdentity, signIdentityUse } from '../bootloader-verifier/agent/prove-identity.ts';
import { readRecord } from '../bootloader-verifier/boot/flash-records.ts';
import { measureBoot, type BootIdentity } from '../bootloader-verifier/boot/measure-boot.ts';
import { startDevice, type Started } from '../bootloader-verifier/boot/start-device.ts';
import type { Code } from '../formats/codes.ts';
import { parseFactoryRecord } from '../formats/factory-record.ts';
import type { HeldIdentity } from '../formats/held-identities.ts';
import { sha256Hex } from '../formats/sha256.ts';
import type { Verdict } from '../formats/verdict.ts';
import { checkSignature } from '../signer/signature-check-node.ts';
import { must } from './forgery.ts';
import { heldOn } from './identities.ts';
import type { OverheardNetwork } from './overheard-network.ts';
import { microcontrollerOf, tell, type Stage } from './stage.ts';

/** What the attacker has of a device: its flash, started, and the identity that lies on it. */
type Taken = {
  readonly started: Started;
  readonly boot: BootIdentity;
  readonly held: HeldIdentity;
  readonly flash: string;
};
type Loot = {
  readonly client: ConnectedIdentityClient;
  /** The flash as it is now, and as it was before the newest release. */
  readonly now: Taken;
  readonly before: Taken;
  readonly heard: OverheardNetwork['heard'];
};
type IdentityAttack = {
  readonly name: string;
  readonly expected: Code;
  readonly mount: (loot: Loot) => Promise<Verdict<unknown>>;
};

const ALTERED = sha256Hex(new TextEncoder().encode('an image that nobody approved'));

const ATTACKS: readonly IdentityAttack[] = [
  { name: 'a stolen old identity', expected: 'IDENTITY_ENDED', mount: ({ client, before }) => use(client, before) },
  {
    name: 'a device that was rolled back',
    expected: 'IMAGE_ROLLBACK',
    mount: ({ client, before }) => rotate(client, before.boot, before.held),
  },
  {
    name: 'an altered image',
    expected: 'BOOT_NOT_APPROVED',
    mount: async ({ client, now }) => rotate(client, await measureAltered(now), now.held),
  },
  {
    name: 'a captured proof for another key',
    expected: 'EVIDENCE_MISMATCH',
    mount: async ({ client, heard }) => client.enrol({ ...lastOf(heard), csr: (await freshKeyNode()).csr }),
  },
  {
    name: 'a captured request, under a nonce that was used',
    expected: 'EVIDENCE_STALE',
    mount: ({ client, heard }) => client.enrol(lastOf(heard)),
  },
];

/** Tries them all against the front behind `network`, then shows that the device's own identity stands. */
export async function tryIdentities(
  stage: Stage,
  flashes: { readonly flash: string; readonly flashBefore: string },
  network: OverheardNetwork,
): Promise<void> {
  const loot: Loot = {
    client: identityClientHttp(network.front, new AbortController().signal),
    now: await take(flashes.flash, join(stage.folder, 'loot', 'now')),
    before: await take(flashes.flashBefore, join(stage.folder, 'loot', 'before')),
    heard: network.heard,
  };
  for (const { name, expected, mount } of ATTACKS) {
    await tell(stage, { step: `identity attack: ${name}`, by: 'attacker' }, async () => {
      const verdict = await mount(loot);
      const code = verdict.ok ? undefined : verdict.code;
      const detail = verdict.ok ? `${expected} was expected` : verdict.detail;
      return { ok: code === expected, code: code ?? 'none', detail };
    });
  }
  await tell(stage, { step: 'the identity in use stands', by: 'gateway-1' }, async () => {
    const used = await use(loot.client, loot.now);
    return { ok: used.ok, code: used.ok ? undefined : used.code, detail: 'no attempt has ended it' };
  });
}

/** Copies the flash of a device, and starts the copy as far as its boot stage goes. */
async function take(from: string, flash: string): Promise<Taken> {
  await cp(from, flash, { recursive: true });
  const installer = installerFile(microcontrollerOf(flash), MICROCONTROLLER_BYTES);
  const started = await startDevice(flashFiles(flash, 'boot-stage'), checkSignature, () => installer);
  if (started.kind !== 'started' || started.identity === undefined) throw new Error('the copy does not start');
  return { started, boot: must(started.identity), held: await heldOn(flash), flash };
}

/** What a boot stage would say that starts whatever it finds: the secret of the device is all that it needs. */
async function measureAltered({ flash, started }: Taken): Promise<BootIdentity> {
  const boot = flashFiles(flash, 'boot-stage');
  const factory = must(parseFactoryRecord((await readRecord(boot, 'factory')) ?? new Uint8Array()));
  const { permit } = started.image;
  const components = permit.components.map((component, i) =>
    i === 0 ? { ...component, image: { ...component.image, sha256: ALTERED } } : component,
  );
  const measured = await measureBoot(boot, factory, { ...started, permit: { ...permit, components } });
  if (measured === undefined) throw new Error('the device has a secret');
  return must(measured);
}

async function rotate(
  client: ConnectedIdentityClient,
  boot: BootIdentity,
  former: HeldIdentity,
): Promise<Verdict<unknown>> {
  const nonce = await client.nonce();
  const { csr } = await freshKeyNode();
  return client.enrol({ purpose: 'rotate', csr, proof: proveIdentity(boot, { nonce, csr, confirmed: true, former }) });
}

function use(client: ConnectedIdentityClient, { boot, held }: Taken): Promise<Verdict<void>> {
  const { product, root, deviceId } = boot.boot;
  return client.use(signIdentityUse({ product, root, deviceId, certificate: sha256Hex(held.certificate) }, held));
}

function lastOf(heard: Loot['heard']): OverheardNetwork['heard'][number] {
  const last = heard.at(-1);
  if (last === undefined) throw new Error('the device has asked for its identities over this network');
  return last;
}
