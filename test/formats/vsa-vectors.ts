/**
 * The vectors of `docs/formats/vsa.md`: the sample summary, what devices demand of it, and altered ones with their refusals.
 *
 * - `node cli/node24.js test/formats/vsa-vectors.ts --write` writes them; a test holds the files equal, byte for byte.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseUtf8 } from '../../formats/bytes.ts';
import type { Code } from '../../formats/codes.ts';
import type { Vsa } from '../../formats/vsa.ts';
import { seededSigner } from '../seeded-signer.ts';
import { signedVsa } from '../tiny-vsa.ts';
import { SAMPLE_DEMAND, SAMPLE_VSA } from './sample-vsa.ts';

/** Where the vectors stand. */
export const VECTORS: string = fileURLToPath(new URL('../vectors/vsa/', import.meta.url));

/** A summary that a device refuses. */
export type RefusedVsa = { readonly says: string; readonly envelope: Uint8Array; readonly code: Code };

const { judged } = SAMPLE_VSA;
const MISMATCHES: readonly (readonly [string, Partial<Vsa>])[] = [
  ['it is about another image', { subjects: [{ name: 'image.js', sha256: '11'.repeat(32) }] }],
  ['it names a verifier that is not its signer', { verifierId: 'https://verifier.example/other' }],
  ['it was judged for another release', { resourceUri: SAMPLE_VSA.resourceUri.replace('2.0.0', '1.0.0') }],
  ['it was judged for another product', { resourceUri: SAMPLE_VSA.resourceUri.replace('/gateway/', '/sensor/') }],
  ['it was judged for another repository', { resourceUri: SAMPLE_VSA.resourceUri.replace('efef', 'fefe') }],
  ['it was judged by another policy', { policy: { uri: 'firmament:policy/release', sha256: '22'.repeat(32) } }],
  ['it rests on another provenance', { inputAttestations: ['33'.repeat(32)] }],
  ['another version was judged', { judged: { ...judged, firmwareVersion: '2.0.1' } }],
  ['another counter was judged', { judged: { ...judged, securityCounter: 1 } }],
  ['less hardware was judged', { judged: { ...judged, hardwareIds: ['gw-1'] } }],
  ['other hardware was judged', { judged: { ...judged, hardwareIds: ['gw-1', 'gw-2', 'gw-3'] } }],
];

/** Every refused summary. */
export async function refusedVsas(): Promise<readonly RefusedVsa[]> {
  const mismatches = MISMATCHES.map(async ([says, change]): Promise<RefusedVsa> => {
    return { says, envelope: await signedVsa({ ...SAMPLE_VSA, ...change }), code: 'VSA_MISMATCH' };
  });
  const failed = await signedVsa({ ...SAMPLE_VSA, result: 'FAILED', verifiedLevels: ['FAILED'] });
  const foreign = await signedVsa(SAMPLE_VSA, seededSigner('nobody'));
  return [
    ...(await Promise.all(mismatches)),
    { says: 'the verifier judged it unfit', envelope: failed, code: 'VSA_FAILED' },
    { says: 'nobody whom people listed has signed it', envelope: foreign, code: 'VSA_SIGNATURE_INVALID' },
  ];
}

/** Every vector file by its name. */
export async function vectorFiles(): Promise<ReadonlyMap<string, Uint8Array | string>> {
  const refused = (await refusedVsas()).map(({ says, envelope, code }) => ({ says, code, text: parseUtf8(envelope) }));
  return new Map<string, Uint8Array | string>([
    ['envelope.json', await signedVsa(SAMPLE_VSA)],
    ['demand.json', `${JSON.stringify(SAMPLE_DEMAND, undefined, 2)}\n`],
    ['refused.json', `${JSON.stringify(refused, undefined, 2)}\n`],
  ]);
}

if (import.meta.main && process.argv.includes('--write')) {
  mkdirSync(VECTORS, { recursive: true });
  for (const [name, content] of await vectorFiles()) writeFileSync(`${VECTORS}${name}`, content);
}
