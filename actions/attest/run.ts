/**
 * Attests a build: its provenance as an in-toto statement, signed in a DSSE envelope.
 *
 * - Only a build that came out the same twice can be attested: nothing else has the type.
 * - What is signed is read back first by the very parser that devices use; what they would refuse is never signed.
 * - The source is pinned by the caller's git commit, or outside git by the digest of the files that were built.
 */
import assert from 'node:assert';
import {
  encodeProvenance,
  parseProvenance,
  reproduced,
  TWO_RUNS_BUILD_TYPE,
  type Provenance,
} from '../../formats/provenance.ts';
import { encodeEnvelope, preAuthEncoding } from '../../formats/dsse.ts';
import { STATEMENT_PAYLOAD_TYPE } from '../../formats/statement.ts';
import type { Signer } from '../../signer/signer.ts';
import type { Build } from '../build/run.ts';

export type AttestOptions = {
  readonly build: Build;
  /** What the image is called in the statement; devices match it by digest alone. */
  readonly imageName: string;
  readonly source: {
    /** URI under which the source is known, such as `git+https://...`. */
    readonly uri: string;
    /** The folder within it that was built, `.` for all of it. */
    readonly folder: string;
    /** The git commit that was checked out unchanged, or undefined outside git. */
    readonly commit: string | undefined;
  };
  /** URI of this builder, as the targets role lists it beside the signer's key. */
  readonly builderId: string;
  /** Names this build among all builds of the builder. */
  readonly invocationId: string;
  readonly signer: Signer;
};

/** Signs the provenance of a build. @returns the bytes of the envelope. Throws `OperationError` where the signer does. */
export async function attest(options: AttestOptions): Promise<Uint8Array> {
  const provenance = provenanceOf(options);
  const payload = encodeProvenance(provenance);
  const readBack = parseProvenance(payload);
  assert(readBack.ok, `a provenance that devices would refuse: ${readBack.ok ? '' : readBack.detail}`);
  assert(reproduced(readBack.value), 'only a reproduced build is attested');
  const sig = await options.signer.sign(preAuthEncoding(STATEMENT_PAYLOAD_TYPE, payload));
  const signatures = [{ keyid: options.signer.keyid, sig }];
  return encodeEnvelope({ payloadType: STATEMENT_PAYLOAD_TYPE, payload, signatures });
}

function provenanceOf({ build, imageName, source, builderId, invocationId }: AttestOptions): Provenance {
  const pin =
    source.commit === undefined
      ? ({ commit: build.sourceDirHash, algorithm: 'dirHash' } as const)
      : ({ commit: source.commit, algorithm: 'gitCommit' } as const);
  return {
    subjects: [{ name: imageName, sha256: build.sha256 }],
    buildType: TWO_RUNS_BUILD_TYPE,
    externalParameters: {
      source: source.uri,
      folder: source.folder,
      command: build.command,
      output: build.output,
      environment: build.environment,
    },
    source: { uri: source.uri, ...pin },
    dependencies: build.dependencies,
    builderId,
    builderVersions: new Map([['node', build.nodeVersion]]),
    invocationId,
    startedOn: build.startedOn,
    finishedOn: build.finishedOn,
    runs: build.runs,
  };
}
