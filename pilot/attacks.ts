/**
 * The attacks that the pilot shows: each against a real device process, each refused with a code.
 *
 * - The attacker owns the server and, beyond that, has stolen the online keys: only what people sign stands in its way.
 * - A device is attacked on a copy of its flash, so that each attack meets it as it was; afterwards it must still run what it ran.
 * - `expected` is the code of the refusal; another code, or none, is a failure of the pilot.
 */
import type { Instant } from '../formats/instant.ts';
import type { RepositoryId } from '../formats/binding.ts';
import { encodeEnvelope, parseEnvelope, preAuthEncoding } from '../formats/dsse.ts';
import { hashedTargetPath } from '../formats/names.ts';
import { sha256Hex } from '../formats/sha256.ts';
import { STATEMENT_PAYLOAD_TYPE } from '../formats/statement.ts';
import { encodeMetadata } from '../formats/tuf-metadata.ts';
import { encodeCanonicalJson } from '../formats/canonical-json.ts';
import { signMetadata } from '../signer/add-signature.ts';
import { draftChannel, type ChannelDraft, type ComponentDraft, type ReleasedFile } from '../signer/draft-channel.ts';
import type { Signer } from '../signer/signer.ts';
import { must, signedPart, type Forgery } from './forgery.ts';
import { otherRepository, type KeyHolders } from './other-repository.ts';
import { CHANNEL, WORKFLOW } from './stage.ts';

/** What stands before an attack: the repository as it was published, and what an attacker may have stolen. */
export type Scene = {
  readonly repository: RepositoryId;
  readonly now: Instant;
  readonly holders: KeyHolders;
  /** The gateway of the newest release, as it was released, and the microcontroller beside it. */
  readonly newest: ComponentDraft;
  readonly microcontroller: ComponentDraft;
  /** Its image: the name below the product, and the bytes. */
  readonly image: { readonly name: string; readonly bytes: Uint8Array };
  readonly provenance: Uint8Array;
  readonly microcontrollerProvenance: Uint8Array;
  /** The summary of its judgement. */
  readonly vsa: Uint8Array;
  /** The id of the device that waits for its wave. */
  readonly heldId: string;
};

export type Attack = {
  readonly name: string;
  readonly expected: string;
  /** Which device is attacked: one that does not have the newest release yet, one that waits for its wave, or one that runs the newest. */
  readonly victim: 'before' | 'held' | 'current';
  /** The published state that the attacker starts from: the newest, one that devices are past, or one with a wave open. */
  readonly from: 'current' | 'older' | 'planned';
  readonly prepare: (forgery: Forgery, scene: Scene) => Promise<void>;
};

const BETA_VERSIONS = 20;

export const ATTACKS: readonly Attack[] = [
  {
    name: 'a changed image',
    expected: 'IMAGE_HASH_MISMATCH',
    victim: 'before',
    from: 'current',
    prepare: async (forgery, { image }) => {
      const bytes = image.bytes.slice();
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
      await forgery.put(image.name, bytes);
    },
  },
  {
    name: 'an older release below the floor',
    expected: 'IMAGE_ROLLBACK',
    victim: 'current',
    from: 'current',
    prepare: async (forgery, scene) => {
      const channel = await nextChannel(forgery, scene, {
        inForce: '2.0.0',
        graph: { recalled: [scene.newest.firmwareVersion] },
      });
      await forgery.serveAs(CHANNEL, await signMetadata(channel, quorum(scene)));
    },
  },
  {
    name: 'one signature of two',
    expected: 'METADATA_THRESHOLD_UNMET',
    victim: 'current',
    from: 'current',
    prepare: async (forgery, scene) => {
      const channel = await nextChannel(forgery, scene, { minSecurityCounter: 1 });
      await forgery.serveAs(CHANNEL, await signMetadata(channel, quorum(scene).slice(0, 1)));
    },
  },
  {
    name: 'the same key twice',
    expected: 'METADATA_THRESHOLD_UNMET',
    victim: 'current',
    from: 'current',
    prepare: async (forgery, scene) => {
      const channel = await nextChannel(forgery, scene, { minSecurityCounter: 1 });
      const [manager, other] = quorum(scene);
      if (manager === undefined || other === undefined) throw new Error('a channel has managers');
      // A file in which one key id stands twice is not even read: the second signature goes by another manager's.
      const sig = await manager.sign(encodeCanonicalJson(channel));
      const entries = [manager, other].map(({ keyid }) => ({ keyid, sig }));
      await forgery.serveAs(CHANNEL, encodeMetadata(channel, entries));
    },
  },
  {
    name: 'approved by its own author',
    expected: 'QUORUM_UNMET',
    victim: 'current',
    from: 'current',
    prepare: async (forgery, scene) => {
      const channel = await nextChannel(forgery, scene, { minSecurityCounter: 1 });
      const [approver, , author] = scene.holders.managers;
      if (approver === undefined || author === undefined) throw new Error('a channel has three managers');
      await forgery.serveAs(CHANNEL, await signMetadata(channel, [approver, author]));
    },
  },
  {
    name: "another product's release",
    expected: 'REPOSITORY_MISMATCH',
    victim: 'current',
    from: 'current',
    prepare: async (forgery, scene) => {
      for (const [name, bytes] of await otherRepository('pilot-meter', scene)) await forgery.put(name, bytes);
    },
  },
  {
    name: "beta's metadata served as stable's",
    expected: 'ROLE_MISMATCH',
    victim: 'current',
    from: 'current',
    prepare: async (forgery, scene) => {
      await forgery.serveAs(CHANNEL, await signMetadata(betaFarAhead(scene), quorum(scene)));
    },
  },
  {
    name: 'a release for other hardware',
    expected: 'HARDWARE_MISMATCH',
    victim: 'current',
    from: 'current',
    prepare: async (forgery, scene) => {
      const components = [scene.microcontroller, { ...scene.newest, hardwareIds: ['pilot-gateway-z'] }];
      const channel = await nextChannel(forgery, scene, { release: { name: '9.0.0', components } });
      await forgery.serveAs(CHANNEL, await signMetadata(channel, quorum(scene)));
    },
  },
  {
    name: 'a release without its microcontroller',
    expected: 'HARDWARE_MISMATCH',
    victim: 'current',
    from: 'current',
    prepare: async (forgery, scene) => {
      const channel = await nextChannel(forgery, scene, { release: { name: '9.0.0', components: [scene.newest] } });
      await forgery.serveAs(CHANNEL, await signMetadata(channel, quorum(scene)));
    },
  },
  {
    name: 'a release that nobody judged',
    expected: 'VSA_MISSING',
    victim: 'current',
    from: 'current',
    prepare: (forgery, scene) => releaseAgain(forgery, scene, undefined),
  },
  {
    name: 'the summary of another release',
    expected: 'VSA_MISMATCH',
    victim: 'current',
    from: 'current',
    prepare: (forgery, scene) => releaseAgain(forgery, scene, scene.vsa),
  },
  {
    name: 'a summary by a manager',
    expected: 'VSA_SIGNATURE_INVALID',
    victim: 'current',
    from: 'current',
    prepare: async (forgery, scene) => {
      const [manager] = quorum(scene);
      if (manager === undefined) throw new Error('a channel has managers');
      const { payload, payloadType } = must(parseEnvelope(scene.vsa, STATEMENT_PAYLOAD_TYPE));
      const sig = await manager.sign(preAuthEncoding(payloadType, payload));
      const vsa = encodeEnvelope({ payload, payloadType, signatures: [{ keyid: manager.keyid, sig }] });
      await releaseAgain(forgery, scene, vsa);
    },
  },
  {
    name: 'a release that is not in the log',
    expected: 'LOG_PROOF_MISSING',
    victim: 'current',
    from: 'current',
    prepare: async (forgery, scene) => {
      const channel = await nextChannel(forgery, scene, { minSecurityCounter: 1 });
      await forgery.serveUnlogged(CHANNEL, await signMetadata(channel, quorum(scene)));
    },
  },
  {
    name: 'old metadata replayed',
    expected: 'TIMESTAMP_ROLLBACK',
    victim: 'current',
    from: 'older',
    prepare: () => Promise.resolve(),
  },
];

/** Releases the newest image under another name, signed by the quorum, with `vsa` as the summary of its judgement. */
async function releaseAgain(forgery: Forgery, scene: Scene, vsa: Uint8Array | undefined): Promise<void> {
  const name = '9.0.0';
  const { newest, microcontroller } = scene;
  const summary = vsa && { file: 'vsa.json', length: vsa.length, sha256: sha256Hex(vsa) };
  const put = (component: string, { file, sha256 }: ReleasedFile, bytes: Uint8Array): Promise<void> =>
    forgery.put(hashedTargetPath({ name: `${name}/${component}/${file}`, sha256 }), bytes);
  await put(newest.component, newest.image, scene.image.bytes);
  await put(newest.component, newest.provenance, scene.provenance);
  await put(microcontroller.component, microcontroller.provenance, scene.microcontrollerProvenance);
  if (vsa !== undefined && summary !== undefined) await put(newest.component, summary, vsa);
  const components = [{ ...newest, vsa: summary }, microcontroller];
  const channel = await nextChannel(forgery, scene, { release: { name, components } });
  await forgery.serveAs(CHANNEL, await signMetadata(channel, quorum(scene)));
}

/** The content of the channel after the newest one, with `change`; signed by whoever the attacker can bring to it. */
async function nextChannel(
  forgery: Forgery,
  { repository, now }: Scene,
  change: Partial<ChannelDraft>,
): Promise<ReturnType<typeof signedPart>> {
  const former = await forgery.newest(CHANNEL);
  const event = { notAfter: now, authors: [WORKFLOW] };
  return signedPart(must(draftChannel({ repository, now, channel: CHANNEL, former, event, ...change })));
}

/** The content of a beta channel with more versions than stable, so that its version number does not give it away. */
function betaFarAhead({ repository, now, newest }: Scene): ReturnType<typeof signedPart> {
  const release = { name: '9.0.0-beta', components: [newest] };
  let former: Uint8Array | undefined;
  for (let version = 1; version <= BETA_VERSIONS; version++) {
    former = must(draftChannel({ repository, now, channel: 'beta', former, release }));
  }
  return signedPart(former ?? new Uint8Array());
}

function quorum({ holders }: Scene): readonly Signer[] {
  return holders.managers.slice(0, 2);
}
