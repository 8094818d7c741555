/**
 * The runs of a build as its provenance records them: what came out, and what surrounded it.
 *
 * - A run is the byproduct `run-1`, `run-2`, ... with the digest of its output; its annotation `firmament_surroundings` says
 *   what surrounded it. Other byproducts, and unknown members, are not ours to read.
 * - A second run proves something only where the two surroundings have nothing in common.
 * - Specified in `docs/formats/provenance.md`.
 */
import { hexText, integer, list, object, refine, shape, text, type Decoder } from './decode.ts';
import { encodeInstant, instantDecoder, type Instant } from './instant.ts';
import { isJsonObject } from './json.ts';
import { accept } from './verdict.ts';

/** What surrounded one run. In every member two runs must differ for the second to prove anything. */
export type Surroundings = {
  /** Where the source stood, below the folder that the runs shared nothing in. */
  readonly folder: string;
  /** How far the clock of the build was shifted, in seconds. */
  readonly clockShiftSeconds: number;
  readonly timeZone: string;
  readonly locale: string;
  readonly user: string;
  readonly host: string;
  readonly umask: string;
  /** Modification time of the first source file. */
  readonly fileTimes: Instant;
  /** In which order folders were listed. */
  readonly fileOrder: string;
};
/** One run: SHA-256 of its output, and its surroundings. */
export type Run = { readonly sha256: string; readonly surroundings: Surroundings };

export const RUNS_MAX = 16;
const BYPRODUCTS_MAX = 256;
const RUN_NAME = /^run-/;

const line = text(512, /^[^\p{Cc}]+$/u);

const surroundingsDecoder: Decoder<Surroundings> = object('ignored', {
  folder: line,
  clockShiftSeconds: integer(Number.MIN_SAFE_INTEGER),
  timeZone: line,
  locale: line,
  user: line,
  host: line,
  umask: line,
  fileTimes: instantDecoder,
  fileOrder: line,
});

const runDecoder: Decoder<Run> = refine(
  object('ignored', {
    digest: object('ignored', { sha256: hexText(32) }),
    annotations: object('ignored', { firmament_surroundings: surroundingsDecoder }),
  }),
  ({ digest, annotations }) => accept({ sha256: digest.sha256, surroundings: annotations.firmament_surroundings }),
);

/** Reads the runs among the byproducts: exactly `run-1` to `run-N`, in this order; other byproducts are not ours to read. */
export const runsDecoder: Decoder<readonly Run[]> = refine(
  list((json) => {
    const name = isJsonObject(json) ? json.get('name') : undefined;
    if (typeof name !== 'string' || !RUN_NAME.test(name)) return accept(undefined);
    const run = runDecoder(json);
    return run.ok ? accept({ name, run: run.value }) : run;
  }, BYPRODUCTS_MAX),
  (byproducts) => {
    const named = byproducts.filter((byproduct) => byproduct !== undefined);
    if (named.length > RUNS_MAX) return shape(`at most ${RUNS_MAX} runs are read`);
    const ordered = named.every(({ name }, index) => name === `run-${index + 1}`);
    return ordered ? accept(named.map(({ run }) => run)) : shape('runs are named run-1, run-2 and so on, in order');
  },
);

/** Whether two surroundings differ in every member. */
export function nothingShared(one: Surroundings, other: Surroundings): boolean {
  const members = new Map<string, unknown>(Object.entries(one));
  return Object.entries(other).every(([name, value]) => members.get(name) !== value);
}

/** The byproduct of the run at `index`, counted from 0, as plain data. */
export function runToPlain({ sha256, surroundings }: Run, index: number): object {
  const firmament_surroundings = {
    folder: surroundings.folder,
    clockShiftSeconds: surroundings.clockShiftSeconds,
    timeZone: surroundings.timeZone,
    locale: surroundings.locale,
    user: surroundings.user,
    host: surroundings.host,
    umask: surroundings.umask,
    fileTimes: encodeInstant(surroundings.fileTimes),
    fileOrder: surroundings.fileOrder,
  };
  return { name: `run-${index + 1}`, digest: { sha256 }, annotations: { firmament_surroundings } };
}
