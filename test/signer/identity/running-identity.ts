/**
 * The whole way of an identity over real HTTP: a device's client, the front of EST, the signer daemon behind its socket.
 *
 * - What is published lies in a store in memory; the signer reads it as it reads any.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkSignaturePortable } from '../../../formats/signature-check.ts';
import { signerClient } from '../../../ota-server/signer-client.ts';
import type { RateRule } from '../../../ota-server/rate-limit.ts';
import { serveEst } from '../../../ota-server/serve-est.ts';
import { identityVerbs, type IdentitySigner } from '../../../signer/daemon/identity-verbs.ts';
import { serveVerbs } from '../../../signer/daemon/serve-verbs-http.ts';
import { deviceRegister } from '../../../signer/identity/device-register.ts';
import { makeFaultBooks } from '../../../simulation/fault-books.ts';
import { makeFaultStore, type FaultStore } from '../../../simulation/fault-store.ts';
import { accepted } from '../../accepted.ts';
import { seededSigner } from '../../seeded-signer.ts';
import type { TinyIdentity } from '../../tiny-identity.ts';
import { publishAll } from '../publishing.ts';

export type RunningIdentity = {
  readonly publisher: FaultStore;
  readonly signer: IdentitySigner;
  /** The signer's socket. */
  readonly socket: string;
  /** The EST address of the product. */
  readonly url: URL;
  /** What the front told its operator, by event. */
  readonly told: readonly string[];
  /** Publishes all that the people of the scene have signed so far. */
  readonly publish: () => Promise<void>;
  readonly close: () => Promise<void>;
};

/** The signer of `scene` over what `publisher` holds, its manifest admitted. */
export async function identitySigner(scene: TinyIdentity, publisher: FaultStore): Promise<IdentitySigner> {
  const { repository, issuing, manifest, trust } = scene;
  const register = deviceRegister(makeFaultBooks());
  const { factories } = trust;
  const { id, now } = repository;
  accepted(await register.admit(manifest, { repository: id, factories, now, check: checkSignaturePortable }));
  const { store, memory } = publisher;
  return { ...issuing, store, memory, product: id.product, register, caSigner: seededSigner('ca 1') };
}

/** Serves identities to the devices of `scene`. @param now the signer's clock. */
export async function serveIdentity(scene: TinyIdentity, now: () => number, rate?: RateRule): Promise<RunningIdentity> {
  const { repository, trust } = scene;
  const publisher = makeFaultStore();
  const publish = async (): Promise<void> => {
    publisher.restore();
    accepted(await publishAll(repository, publisher));
  };
  await repository.publishTargets(trust);
  await publish();
  const signer = await identitySigner(scene, publisher);
  const folder = await mkdtemp(join(tmpdir(), 'est-'));
  const socketPath = join(folder, 'signer.sock');
  const told: string[] = [];
  const daemon = await serveVerbs({
    socketPath,
    verbs: identityVerbs(signer),
    now,
    log: (line) => void told.push(line),
  });
  const front = await serveEst({
    host: '127.0.0.1',
    port: 0,
    product: repository.id.product,
    signer: signerClient(socketPath, 10_000),
    now,
    log: ({ event }) => void told.push(event),
    rate,
  });
  return {
    publisher,
    signer,
    socket: socketPath,
    url: new URL(`http://127.0.0.1:${front.port}/.well-known/est/${repository.id.product}/`),
    told,
    publish,
    close: async () => {
      await front.close();
      await daemon.close();
      await rm(folder, { recursive: true });
    },
  };
}
