/** The summary of `docs/formats/vsa.md`: one image of a sample repository, and what devices demand of it. */
import type { VsaDemand } from '../../bootloader-verifier/boot/verify-vsa.ts';
import type { Vsa } from '../../formats/vsa.ts';
import { tinyJudging, tinyVsa } from '../tiny-vsa.ts';

const IMAGE = 'ab'.repeat(32);
const PROVENANCE = 'cd'.repeat(32);

export const SAMPLE_DEMAND: VsaDemand = {
  repository: { product: 'gateway', rootOneSha256: 'ef'.repeat(32) },
  component: {
    image: { name: '2.0.0/gateway/image.js', length: 17, sha256: IMAGE },
    provenanceTarget: { name: '2.0.0/gateway/image.js.provenance.json', length: 4_000, sha256: PROVENANCE },
    firmwareVersion: '2.0.0',
    securityCounter: 2,
    hardwareIds: ['gw-1', 'gw-2'],
  },
  judging: tinyJudging(),
};

export const SAMPLE_VSA: Vsa = tinyVsa(SAMPLE_DEMAND.repository, SAMPLE_DEMAND.component);
