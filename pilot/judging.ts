/**
 * The judge of the pilot: every release is judged by the policy that the owners signed, and what is unfit gets no summary.
 *
 * - The judge is a process with a key of its own; what it signs approves nothing.
 * - Two builds that a thief of the builder's key attests are brought before it: the policies that refuse them say why.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeEnvelope, parseEnvelope, preAuthEncoding } from '../formats/dsse.ts';
import type { JsonObject } from '../formats/json.ts';
import { encodeProvenance, parseProvenance, type Provenance } from '../formats/provenance.ts';
import { STATEMENT_PAYLOAD_TYPE } from '../formats/statement.ts';
import { createFile, MODE_PUBLIC } from '../signer/durable-file.ts';
import type { Signer } from '../signer/signer.ts';
import { PROJECT, textOf } from './child.ts';
import { stealKey, type Company } from './company.ts';
import { must } from './forgery.ts';
import type { PilotRepository } from './founding.ts';
import { tell, type Stage } from './stage.ts';

export const VERIFIER_ID = 'https://verifiers.example/pilot';
/** The policy in force, which the owners sign by digest. */
export const POLICY: string = join(PROJECT, 'policies', 'release.cedar');

/** One image that is to be released, and what vouches for it. */
export type ToJudge = {
  readonly release: string;
  readonly component: string;
  readonly hardware: string;
  readonly firmwareVersion: string;
  readonly securityCounter: number;
  readonly image: string;
  readonly provenance: string;
  /** The channel that is in force; undefined before the first release. */
  readonly former: string | undefined;
};
type By = { readonly company: Company; readonly repository: PilotRepository };

/** Has an image judged. @returns the file of the summary, its digest, and the reasons in words. */
export async function judge(
  by: By,
  image: ToJudge,
): Promise<{ readonly vsa: string; readonly digest: string; readonly reasons: readonly string[] }> {
  const vsa = vsaFile(by.repository, image);
  const answer = await by.company.judge.tool.run('judge', ...judgeOptions(by, image, vsa));
  return { vsa, digest: textOf(answer, 'sha256'), reasons: reasonsOf(answer) };
}

/** Where the summary of an image lies. */
export function vsaFile(
  { desk }: PilotRepository,
  { release, component }: Pick<ToJudge, 'release' | 'component'>,
): string {
  return join(desk, `${release}.${component}.vsa.json`);
}

/** Brings two false builds of `newest` before the judge, and tells each refusal with its reasons. */
export async function showDenials(stage: Stage, by: By, newest: ToJudge): Promise<void> {
  const builder = await stealKey(by.company.builder);
  const honest = await readProvenance(newest.provenance);
  const uri = 'https://source.example/fork';
  const fork = {
    ...honest,
    source: { ...honest.source, uri },
    externalParameters: { ...honest.externalParameters, source: uri },
  };
  const cases = [
    { name: 'a build from a fork', claims: fork },
    { name: 'a build that ran only once', claims: { ...honest, runs: honest.runs.slice(0, 1) } },
  ];
  const startedAt = stage.now();
  const tried = cases.map(async ({ name, claims }, index) => {
    const provenance = join(by.repository.desk, `denied-${index}.provenance.json`);
    await createFile(provenance, { bytes: await attested(claims, builder), mode: MODE_PUBLIC });
    const out = join(by.repository.desk, `denied-${index}.vsa.json`);
    const answer = await by.company.judge.tool.refusal('judge', ...judgeOptions(by, { ...newest, provenance }, out));
    return { name, answer, wrote: await readFile(out).catch(() => undefined), tookMs: stage.now() - startedAt };
  });
  for (const { name, answer, wrote, tookMs } of await Promise.all(tried)) {
    await tell(stage, { step: `deny: ${name}`, by: 'judge' }, () => {
      const code = textOf(answer, 'code');
      return Promise.resolve({
        ok: code === 'JUDGEMENT_DENIED' && wrote === undefined,
        code,
        detail: textOf(answer, 'detail'),
        tookMs,
      });
    });
  }
}

function judgeOptions({ company, repository }: By, image: ToJudge, out: string): readonly string[] {
  const { judge } = company;
  return [
    ...['--root', repository.root, '--targets', repository.targets, '--policy', POLICY],
    ...(image.former === undefined ? [] : ['--former', image.former]),
    ...['--release', image.release, '--component', image.component, '--hardware', image.hardware],
    ...['--firmware-version', image.firmwareVersion, '--security-counter', String(image.securityCounter)],
    ...['--image', image.image, '--provenance', image.provenance],
    ...['--key', judge.keyFile, '--passphrase-file', judge.passphraseFile, '--out', out],
  ];
}

async function readProvenance(file: string): Promise<Provenance> {
  const envelope = must(parseEnvelope(await readFile(file), STATEMENT_PAYLOAD_TYPE));
  return must(parseProvenance(envelope.payload));
}

async function attested(claims: Provenance, builder: Signer): Promise<Uint8Array> {
  const payload = encodeProvenance(claims);
  const sig = await builder.sign(preAuthEncoding(STATEMENT_PAYLOAD_TYPE, payload));
  const signatures = [{ keyid: builder.keyid, sig }];
  return encodeEnvelope({ payloadType: STATEMENT_PAYLOAD_TYPE, payload, signatures });
}

function reasonsOf(answer: JsonObject): readonly string[] {
  const reasons = answer.get('reasons');
  return Array.isArray(reasons) ? reasons.filter((reason) => typeof reason === 'string') : [];
}
