/**
 * What the pilot builds: the gateway's image for each release, and the microcontroller's real image, once for each version.
 *
 * - Each image comes out of the reproducible build: two runs, one digest, provenance under the builder's key.
 * - Once it is proposed, its files are those that the control plane has taken.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT, textOf } from './child.ts';
import type { Company } from './company.ts';
import { BUILDER_ID, SOURCE_URI, type Stage } from './stage.ts';
import type { Proposed, Workflow } from './workflow.ts';

const FIRMWARE = join(PROJECT, 'pilot', 'firmware');

export type ReleasePlan = {
  readonly release: string;
  readonly securityCounter: number;
  /** The version of the microcontroller's image that it carries, with that image's own counter. */
  readonly microcontroller: { readonly version: string; readonly securityCounter: number };
  readonly outcome: 'kept' | 'reverted';
  readonly what: string;
};

/** An image that came out the same twice, with its provenance. */
export type BuiltImage = {
  readonly image: string;
  readonly provenance: string;
  readonly sha256: string;
  readonly tookMs: number;
};

/** A release: the gateway's image, and the microcontroller's beside it. */
export type BuiltRelease = BuiltImage & {
  readonly plan: ReleasePlan;
  readonly microcontroller: BuiltImage;
  /** What became of its proposal, once it was made. */
  readonly proposed: Proposed | undefined;
};

/** Builds and attests what a release consists of. */
export type BuildRelease = (plan: ReleasePlan) => Promise<BuiltRelease>;

/** What builds and attests releases; their steps are told later, in the order of the chain. */
export function releaseBuilder(stage: Stage, company: Company): BuildRelease {
  const microcontrollers = new Map<string, Promise<BuiltImage>>();
  return async (plan) => {
    const { version } = plan.microcontroller;
    const besides =
      microcontrollers.get(version) ?? buildImage(stage, company, ['hub.bin', 'microcontroller.ts', version]);
    microcontrollers.set(version, besides);
    const [main, microcontroller] = await Promise.all([
      buildImage(stage, company, ['gateway.js', 'build.ts', plan.release]),
      besides,
    ]);
    return { ...main, plan, microcontroller, proposed: undefined };
  };
}

/** Proposes what was built. From here on its files are those that the control plane has taken, not the builder's. */
export async function proposeRelease(workflow: Workflow, built: BuiltRelease): Promise<BuiltRelease> {
  const proposed = await workflow.propose(built.plan, built);
  const microcontroller = { ...built.microcontroller, ...proposed.microcontroller };
  return { ...built, ...proposed.main, microcontroller, proposed };
}

async function buildImage(
  stage: Stage,
  { builder }: Company,
  [output, script, version]: readonly [string, string, string],
): Promise<BuiltImage> {
  const startedAt = stage.now();
  const out = join(stage.folder, 'build', version);
  await mkdir(out, { recursive: true });
  const built = await builder.tool.run(
    'build',
    ...['--source', FIRMWARE, '--output', `dist/${output}`, '--out', out],
    ...['--key', builder.keyFile, '--passphrase-file', builder.passphraseFile],
    ...['--builder', BUILDER_ID, '--source-uri', SOURCE_URI],
    ...['--', 'node', script, version],
  );
  return {
    image: textOf(built, 'image'),
    provenance: textOf(built, 'provenance'),
    sha256: textOf(built, 'sha256'),
    tookMs: stage.now() - startedAt,
  };
}
