/**
 * The liar's moves at the signer's socket: to get a signature over anything that people did not approve.
 *
 * - It may send any bytes to any verb; it has files that people signed for something else, too early, or too few of them.
 */
import { connect } from 'node:net';
import { concatBytes, encodeUtf8 } from '../../formats/bytes.ts';
import { sha256Hex } from '../../formats/sha256.ts';
import { WORD_BYTES_MAX } from '../../signer/rollout/heard-word.ts';
import { draftChannel, type ChannelDraft } from '../../signer/draft-channel.ts';
import { haltContent } from '../../signer/rollout/draft-step.ts';
import type { Signer } from '../../signer/signer.ts';
import type { Changes } from '../../signer/publication.ts';
import { simulatedImage } from '../../simulation/simulated-device.ts';
import { accepted } from '../accepted.ts';
import { seededSigner } from '../seeded-signer.ts';
import { HOUR_MS, WORKFLOW } from '../tiny-event.ts';
import { manifestOf, tinyFleet } from '../tiny-fleet.ts';
import { tinyComponent } from '../tiny-release.ts';
import { signedOf } from '../tiny-repository.ts';
import { publishBody, type Chain } from './liar-chain.ts';
import { anyFile, mutated, oneOf, say, type Liar, type Move } from './liar.ts';

const VERBS = [
  'publish',
  'halt',
  'refresh',
  'manifest',
  'confirm',
  'receipt',
  'step',
  'waves',
  'nonce',
  'cacerts',
  'issue',
  'use',
  'r/gateway/publish',
  'r/other/publish',
  'nothing',
  '',
  '../publish',
  'publish?x',
];
const RANDOM_BYTES_MAX = 5_000;

function signer(kind: string, play: (liar: Liar) => Promise<unknown>): Move {
  return { kind, at: 'signer', play: (liar) => play(liar).then(() => undefined) };
}

/** A release that nobody approved, after the newest of `stable`, signed by `by`. */
export async function unapproved(
  { repository, now }: Chain,
  {
    name,
    by,
    draft: more,
    hardwareIds = ['gw-1'],
  }: {
    readonly name: string;
    readonly by: readonly Signer[];
    readonly draft?: Partial<ChannelDraft>;
    readonly hardwareIds?: readonly string[];
  },
): Promise<{ readonly channel: Uint8Array; readonly files: readonly Uint8Array[] }> {
  const [builder] = repository.signers.get('builder') ?? [];
  if (builder === undefined) throw new Error('there is a builder');
  const image = simulatedImage(name, 'healthy');
  const component = await tinyComponent(name, builder, { image, securityCounter: 15, hardwareIds });
  const draft = draftChannel({
    repository: repository.id,
    channel: 'stable',
    former: repository.newest('stable'),
    now,
    release: { name, components: [component.draft] },
    event: { notAfter: now + HOUR_MS, authors: [WORKFLOW] },
    ...more,
  });
  const channel = await repository.sign('stable', signedOf(accepted(draft)), by);
  return { channel, files: [component.image, component.provenance] };
}

function managers({ repository }: Chain, role = 'stable'): readonly Signer[] {
  return repository.signers.get(role) ?? [];
}

/** Who may have signed what nobody approved: one of them, the author with one other, others altogether. */
export function tooFew(chain: Chain): readonly (readonly Signer[])[] {
  const [dee, eli, fay] = managers(chain);
  if (dee === undefined || eli === undefined || fay === undefined) throw new Error('there are three managers');
  const online = ['snapshot', 'timestamp', 'stable-rollout', 'builder'].flatMap((role) => managers(chain, role));
  return [
    [],
    [eli],
    [dee, eli],
    [dee, fay],
    [eli, eli],
    managers(chain, 'beta'),
    managers(chain, 'targets'),
    online,
    [fay, ...online],
    [seededSigner('the liar'), seededSigner('the other liar')],
  ];
}

/** A request with the newest of everything, and `change` in its place. */
function request({ repository }: Chain, change: Changes): Uint8Array {
  return publishBody({ channels: new Map([['stable', repository.newest('stable')]]), ...change });
}

export const SIGNER_MOVES: readonly Move[] = [
  signer('a release that too few have signed', async (liar) => {
    const { chain, random } = liar;
    const by = oneOf(random, tooFew(chain));
    const { channel, files } = await unapproved(chain, { name: `99.${random(1_000)}.0`, by });
    await say(liar, 'publish', request(chain, { channels: new Map([['stable', channel]]), targetFiles: files }));
  }),
  signer('ways, floors, revocations and hardware that too few have signed', async (liar) => {
    const { chain, random } = liar;
    const names = [...chain.repository.releases.keys()];
    const [old, other] = [oneOf(random, names), oneOf(random, names)];
    const draft = oneOf<Partial<ChannelDraft>>(random, [
      { graph: { recalled: [old], without: [other] } },
      { graph: { deadEnds: [{ release: old, reason: 'the liar says so' }] } },
      { graph: { from: new Map([[names.at(-1) ?? old, [{ min: '999.0.0', below: undefined }]]]) } },
      { graph: { without: names } },
      { minSecurityCounter: random(20) },
      { revokedDigests: [sha256Hex(chain.repository.releases.get(old)?.image ?? new Uint8Array())] },
    ]);
    const by = oneOf(random, tooFew(chain));
    const hardwareIds = oneOf(random, [['gw-1'], ['gw-2'], ['gw-2', 'gw-1']]);
    const { channel, files } = await unapproved(chain, { name: `99.${random(1_000)}.0`, by, draft, hardwareIds });
    await say(liar, 'publish', request(chain, { channels: new Map([['stable', channel]]), targetFiles: files }));
  }),
  signer('what people signed, changed', async (liar) => {
    const { chain, random } = liar;
    const role = oneOf(random, ['stable', 'beta', 'targets', 'root']);
    const bytes = mutated(chain.repository.newest(role), random);
    const changes: Changes =
      role === 'root'
        ? { roots: [bytes] }
        : role === 'targets'
          ? { targets: bytes }
          : { channels: new Map([[role, bytes]]) };
    await say(liar, 'publish', request(chain, changes));
  }),
  signer('a file of another product, role or channel', async (liar) => {
    const { random, chain } = liar;
    const [, bytes] = oneOf(
      random,
      [...chain.neighbour.files].filter(([name]) => name.endsWith('.json')),
    );
    const beta = chain.repository.newest('beta');
    const change = oneOf<Changes>(random, [
      { channels: new Map([['stable', bytes]]) },
      { channels: new Map([['stable', beta]]) },
      { channels: new Map([['stable-rollout', beta]]) },
      { channels: new Map([['stable-halt', beta]]) },
      { channels: new Map([['snapshot', anyFile(liar, /snapshot/)]]) },
      { channels: new Map([['timestamp', anyFile(liar, /timestamp/)]]) },
      { channels: new Map([['gamma', beta]]) },
      { targets: beta },
      { targets: bytes },
      { roots: [bytes] },
      { roots: [beta] },
    ]);
    await say(liar, 'publish', request(chain, change));
  }),
  signer('a stale file', async (liar) => {
    const { random, chain } = liar;
    const change = oneOf<Changes>(random, [
      { channels: new Map([['stable', anyFile(liar, /\d\.stable\.json/)]]) },
      { channels: new Map([['beta', anyFile(liar, /\d\.beta\.json/)]]) },
      { targets: anyFile(liar, /\d\.targets\.json/) },
      { roots: [anyFile(liar, /root\.json/)] },
    ]);
    await say(liar, 'publish', request(chain, change));
  }),
  signer('a substituted upload', async (liar) => {
    const { random, chain } = liar;
    const files = [anyFile(liar, /image/), simulatedImage(`evil ${random(1_000)}`, 'healthy')].slice(random(2));
    await say(liar, 'publish', request(chain, { targetFiles: files }));
  }),
  signer('any bytes to any verb', async (liar) => {
    const { random } = liar;
    const bytes = Uint8Array.from({ length: random(RANDOM_BYTES_MAX) }, () => random(256));
    await say(liar, oneOf(random, VERBS), random(2) === 0 ? bytes : anyFile(liar));
  }),
  signer('a request changed', async (liar) => {
    const { random, chain } = liar;
    await say(liar, 'publish', mutated(request(chain, { targets: chain.repository.newest('targets') }), random));
  }),
  signer('a body beyond its limit', async (liar) => {
    await say(liar, 'confirm', new Uint8Array(WORD_BYTES_MAX + 1));
  }),
  signer('a connection that says nonsense, or stops in the middle', async (liar) => {
    const { random, chain } = liar;
    const head = `POST /${oneOf(random, VERBS.slice(0, 7))} HTTP/1.1\r\nhost: signer\r\ncontent-length: 1000\r\n\r\n`;
    const said = oneOf(random, [
      encodeUtf8(head),
      encodeUtf8('\u0000nonsense\r\n\r\n'),
      concatBytes(encodeUtf8(head), new Uint8Array(9)),
    ]);
    await breakOff(chain.socketPath, said);
  }),
  signer('a forged halt', async (liar) => {
    const { random, chain } = liar;
    const { repository, now } = chain;
    const plan = oneOf(random, ['00'.repeat(32), 'ff'.repeat(32)]);
    const content = haltContent(
      { repository: repository.id, channel: 'stable', former: undefined, expires: now + HOUR_MS },
      { plan, at: now, reason: 'the liar says so' },
    );
    const by = oneOf(random, [
      managers(chain, 'beta'),
      managers(chain, 'stable-rollout'),
      [seededSigner('the liar')],
      [],
    ]);
    const file = await repository.sign('stable-halt', content, by);
    const bytes = oneOf(random, [file, anyFile(liar, /rollout/), anyFile(liar, /\.json/), repository.newest('stable')]);
    await say(liar, 'halt', bytes);
  }),
  signer('a word forged, changed or replayed', async (liar) => {
    const { random, heard } = liar;
    const known = heard.words.length === 0 ? anyFile(liar, /proven/) : oneOf(random, heard.words);
    await say(liar, 'confirm', random(3) === 0 ? known : mutated(known, random));
  }),
  signer('a manifest forged, changed or of another product', async (liar) => {
    const { random, chain } = liar;
    const { repository } = chain;
    const evil = tinyFleet(3, 'evil');
    const other = { ...repository, id: { ...repository.id, product: 'other' } };
    const bytes = oneOf(random, [
      mutated(chain.manifest, random),
      await manifestOf(other, evil, 'evil'),
      await forgedManifest(chain),
    ]);
    await say(liar, 'manifest', bytes);
  }),
  signer('what is due, asked for again and again', async (liar) => {
    for (const verb of ['refresh', 'step', 'step', 'waves', 'refresh']) await say(liar, verb, new Uint8Array());
  }),
];

/** A manifest that names the factory, with no signature of its. */
async function forgedManifest({ manifest }: Chain): Promise<Uint8Array> {
  const text = new TextDecoder().decode(manifest);
  const sig = Buffer.from(await seededSigner('the liar').sign(manifest)).toString('base64');
  return encodeUtf8(text.replace(/"sig":"[^"]*"/, `"sig":"${sig}"`));
}

/** Says `bytes` to the socket and goes away. */
async function breakOff(socketPath: string, bytes: Uint8Array): Promise<void> {
  await new Promise<void>((resolve) => {
    const socket = connect(socketPath, () => {
      socket.write(bytes, () => setImmediate(() => socket.destroy()));
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve());
  });
}
