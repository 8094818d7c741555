/** A receipt of a tiny fleet: what a device without network answers of its start of 2.0.0, with every part replaceable. */
import { BOOT_STATEMENT_PAYLOAD_TYPE, encodeBootStatement, type BootStatement } from '../formats/boot-statement.ts';
import { encodeEnvelope, preAuthEncoding } from '../formats/dsse.ts';
import { planDigest } from '../formats/plan.ts';
import { encodeReceipt, RECEIPT_PAYLOAD_TYPE, type Receipt } from '../formats/receipt.ts';
import type { Signer } from '../signer/signer.ts';
import { seededSigner } from './seeded-signer.ts';
import type { FleetDevice } from './tiny-fleet.ts';
import type { TinyRepository } from './tiny-repository.ts';
import { placeOf, planInForce } from './tiny-rollout.ts';

const EVIDENCE = seededSigner('evidence of a start');

export type ReceiptChange = {
  readonly receipt?: Partial<Receipt>;
  readonly started?: Partial<BootStatement>;
  readonly by?: Signer;
};

/** The receipt that `from` writes of its start of 2.0.0. */
export async function receiptOf(
  repository: TinyRepository,
  from: FleetDevice,
  change: ReceiptChange = {},
): Promise<Uint8Array> {
  const { product, rootOneSha256: root } = repository.id;
  const boot: BootStatement = {
    ...{ product, root, deviceId: from.deviceId, release: '2.0.0', channel: 'stable', channelVersion: 2 },
    components: [{ component: 'gateway', firmwareVersion: '2.0.0', securityCounter: 1, image: 'ab'.repeat(32) }],
    ...{ slot: 'b', mode: 'trial', evidenceKey: EVIDENCE.key.public },
    ...change.started,
  };
  const payload = encodeBootStatement(boot);
  const sig = await from.signer.sign(preAuthEncoding(BOOT_STATEMENT_PAYLOAD_TYPE, payload));
  const statement = encodeEnvelope({
    payloadType: BOOT_STATEMENT_PAYLOAD_TYPE,
    payload,
    signatures: [{ keyid: '', sig }],
  });
  const { deviceId, release, channel, channelVersion, components } = boot;
  const said = encodeReceipt({
    ...{ product, root, deviceId, release, channel, channelVersion, components, statement },
    plan: planDigest(planInForce(repository), placeOf(repository)),
    ...{ outcome: 'confirmed', code: undefined, capsule: undefined, sequence: 5, failures: 0, at: undefined },
    ...change.receipt,
  });
  const mine = await (change.by ?? EVIDENCE).sign(preAuthEncoding(RECEIPT_PAYLOAD_TYPE, said));
  return encodeEnvelope({ payloadType: RECEIPT_PAYLOAD_TYPE, payload: said, signatures: [{ keyid: '', sig: mine }] });
}
