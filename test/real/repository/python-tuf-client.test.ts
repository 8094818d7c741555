/** python-tuf's client reads over HTTP what our publisher wrote and our server serves, with nothing but root 1 in hand. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { encodeBase64, encodeUtf8 } from '../../../formats/bytes.ts';
import { sha256Hex } from '../../../formats/sha256.ts';
import { openFolderStore } from '../../../ota-server/artifact-store-folder.ts';
import { serve } from '../../../ota-server/listen.ts';
import { objectStoreFolder } from '../../../signer/object-store-folder.ts';
import { publishChanges } from '../../../signer/publish-changes.ts';
import { signerMemoryFile } from '../../../signer/signer-memory-file.ts';
import { accepted } from '../../accepted.ts';
import { seededSigner } from '../../seeded-signer.ts';
import { allChanges, optionsFor, type Publisher } from '../../signer/publishing.ts';
import { makeTinyRepository, type TinyRepository } from '../../tiny-repository.ts';
import { python } from './python.ts';

/** What the client trusts and holds after a refresh: versions by role, and the digest of each target it was asked for. */
type Seen = {
  readonly versions: Readonly<Record<'root' | 'timestamp' | 'snapshot' | 'targets', number>>;
  readonly targets: Readonly<Record<string, string | null>>;
};

const CLIENT = `
import base64, hashlib
from tuf.api.exceptions import RepositoryError
from tuf.ngclient import Updater
updater = Updater(given["folder"], given["url"] + "metadata/", given["folder"], given["url"] + "targets/",
    bootstrap=base64.b64decode(given["root"]))
def digest(name):
    info = updater.get_targetinfo(name)
    if info is None:
        return None
    try:
        with open(updater.download_target(info), "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except RepositoryError as error:
        return "refused: " + type(error).__name__
updater.refresh()
trusted = updater._trusted_set
print(json.dumps({
    "versions": {name: trusted[name].version for name in ["root", "timestamp", "snapshot", "targets"]},
    "targets": {name: digest(name) for name in given["targets"]},
}))
`;

const closing: (() => void | Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

type Scene = {
  readonly repository: TinyRepository;
  /** Publishes all that people have signed so far. */
  readonly publish: () => Promise<void>;
  /** Refreshes a client that keeps its own folder from call to call, and asks it for `targets`. */
  readonly see: (...targets: readonly string[]) => Promise<Seen>;
  /** Where the published objects lie. */
  readonly published: string;
};

/** A repository signed now, published into a folder and served from it. */
async function makeScene(): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), 'firmament-real-'));
  closing.push(() => rmSync(folder, { recursive: true }));
  const published = join(folder, 'published');
  mkdirSync(published);
  mkdirSync(join(folder, 'client'));
  const repository = await makeTinyRepository({ now: Date.now() });
  const publisher: Publisher = {
    store: objectStoreFolder(published),
    memory: signerMemoryFile(join(folder, 'signer-state.json')),
  };
  const publish = async (): Promise<void> => {
    accepted(await publishChanges(optionsFor(repository, publisher), allChanges(repository)));
  };
  await publish();
  const store = await openFolderStore(published);
  const server = await serve({ store, host: '127.0.0.1', port: 0, log: () => undefined });
  closing.push(() => server.close());
  const url = `http://127.0.0.1:${server.port}/r/${repository.id.product}/`;
  const root = encodeBase64(repository.factory.root);
  const see = async (...targets: readonly string[]): Promise<Seen> =>
    (await python(CLIENT, { folder: join(folder, 'client'), url, root, targets })) as Seen;
  return { repository, publish, see, published };
}

test('from root 1 alone, python-tuf finds the released image and its evidence, and downloads the very bytes', async () => {
  const { repository, see } = await makeScene();
  const release = repository.releases.get('1.0.0');
  const seen = await see('1.0.0/gateway/image.js', '1.0.0/gateway/image.js.provenance.json', '9.9.9/gateway/image.js');
  expect(seen.versions).toEqual({ root: 1, timestamp: 1, snapshot: 1, targets: 1 });
  expect(seen.targets).toEqual({
    '1.0.0/gateway/image.js': sha256Hex(release?.image ?? new Uint8Array()),
    '1.0.0/gateway/image.js.provenance.json': sha256Hex(release?.provenance ?? new Uint8Array()),
    '9.9.9/gateway/image.js': null,
  });
});

test('python-tuf follows the next release and a change of the root keys', async () => {
  const { repository, publish, see } = await makeScene();
  await see();
  const next = [1, 2].map((i) => seededSigner(`next root ${i}`));
  await repository.publishRoot({
    quorums: { root: { keys: next.map(({ key }) => key), threshold: 2 } },
    signers: next,
  });
  const release = await repository.publishRelease({ securityCounter: 2 });
  await publish();
  const seen = await see('2.0.0/gateway/image.js');
  expect(seen.versions).toEqual({ root: 2, timestamp: 2, snapshot: 2, targets: 1 });
  expect(seen.targets).toEqual({ '2.0.0/gateway/image.js': sha256Hex(release.image) });
});

test('python-tuf refuses an image that was altered where it lies', async () => {
  const { repository, see, published } = await makeScene();
  const folder = join(published, repository.id.product, 'targets', '1.0.0', 'gateway');
  const image = readdirSync(folder).find((name) => name.endsWith('.image.js')) ?? '';
  const altered = readFileSync(join(folder, image));
  altered.set(encodeUtf8('##'));
  writeFileSync(join(folder, image), altered);
  expect((await see('1.0.0/gateway/image.js')).targets).toEqual({
    '1.0.0/gateway/image.js': 'refused: LengthOrHashMismatchError',
  });
});
