/** Provenance: what is read, what is refused, what counts as reproduced, and what altered ones may not do. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RUNS_MAX, type Run, type Surroundings } from '../../formats/build-run.ts';
import { encodeUtf8 } from '../../formats/bytes.ts';
import {
  encodeProvenance,
  parseProvenance,
  PROVENANCE_PREDICATE_TYPE,
  reproduced,
  TWO_RUNS_BUILD_TYPE,
  type Provenance,
} from '../../formats/provenance.ts';
import { accepted } from '../accepted.ts';
import { tryMutants } from '../mutations.ts';
import { tinyProvenance } from '../tiny-release.ts';

const IMAGE = 'ab'.repeat(32);
const OTHER = 'cd'.repeat(32);
const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const tiny = tinyProvenance('image.js', IMAGE);
const EXAMPLE: Provenance = {
  ...tiny,
  externalParameters: { ...tiny.externalParameters, environment: new Map([['CHANNEL', 'stable']]) },
  dependencies: [{ name: 'package-lock.json', sha256: OTHER }],
};

type Plain = { [name: string]: unknown };
/** The example as plain JSON, for tests to change in place. */
function plainExample(): {
  predicate: {
    buildDefinition: { buildType: unknown; externalParameters: Plain; resolvedDependencies: Plain[] };
    runDetails: { builder: Plain; metadata: Plain; byproducts: Plain[] | null };
  };
  predicateType: unknown;
} {
  return JSON.parse(new TextDecoder().decode(encodeProvenance(EXAMPLE))) as ReturnType<typeof plainExample>;
}
type Change = (statement: ReturnType<typeof plainExample>) => void;
function changed(change: Change): Uint8Array {
  const statement = plainExample();
  change(statement);
  return encodeUtf8(JSON.stringify(statement));
}

describe('a provenance', () => {
  test('is read back as it was written, whatever it says', () => {
    const line = fc.stringMatching(/^[\x20-\x7eé€]{1,40}$/);
    const sha256 = fc.stringMatching(/^[0-9a-f]{64}$/);
    const instant = fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => seconds * 1000);
    const surroundings: fc.Arbitrary<Surroundings> = fc.record({
      ...{ folder: line, timeZone: line, locale: line, user: line, host: line, umask: line, fileOrder: line },
      clockShiftSeconds: fc.integer(),
      fileTimes: instant,
    });
    const run: fc.Arbitrary<Run> = fc.record({ sha256, surroundings });
    const parts = fc.record({
      subjects: fc.array(fc.record({ name: line, sha256 }), { minLength: 1, maxLength: 3 }),
      runs: fc.array(run, { maxLength: RUNS_MAX }),
      dependencies: fc.array(fc.record({ name: line, sha256 }), { maxLength: 3 }),
      builderVersions: fc.array(fc.tuple(line, line), { maxLength: 3 }).map((versions) => new Map(versions)),
      invocationId: line,
      startedOn: instant,
    });
    fc.assert(
      fc.property(parts, (changes) => {
        const provenance: Provenance = { ...EXAMPLE, ...changes, finishedOn: changes.startedOn + 5_000 };
        const bytes = encodeProvenance(provenance);
        expect(accepted(parseProvenance(bytes))).toEqual(provenance);
      }),
    );
  });

  test('is read with members that nobody knows, outside of the parameters', () => {
    const bytes = changed(({ predicate: { buildDefinition, runDetails } }) => {
      Object.assign(buildDefinition, { internalParameters: { cores: 2 }, extra: true });
      Object.assign(runDetails.metadata, { other_thing: [1, 2] });
      buildDefinition.resolvedDependencies.push({ uri: 'pkg:npm/esbuild@0.28.2' }, { content: 'AAAA' });
      runDetails.byproducts?.push({ name: 'log', uri: 'https://example.com/log' }, { digest: {} });
    });
    expect(accepted(parseProvenance(bytes))).toEqual(EXAMPLE);
  });

  test('says the same with a member that is absent, null or empty', () => {
    const versions: readonly Change[] = [
      ({ predicate }) => void delete predicate.runDetails.builder['version'],
      ({ predicate }) => void (predicate.runDetails.builder['version'] = null),
      ({ predicate }) => void (predicate.runDetails.builder['version'] = {}),
    ];
    for (const change of versions) {
      expect(accepted(parseProvenance(changed(change)))).toEqual({ ...EXAMPLE, builderVersions: new Map() });
    }
  });

  const refused: readonly (readonly [name: string, change: Change])[] = [
    ['of another predicate type', (statement) => void (statement.predicateType = 'https://slsa.dev/provenance/v0.2')],
    ['of a build type that is not known', ({ predicate }) => void (predicate.buildDefinition.buildType += '2')],
    [
      'with an external parameter that is not known',
      ({ predicate }) => void (predicate.buildDefinition.externalParameters['flags'] = []),
    ],
    ['without a command', ({ predicate }) => void (predicate.buildDefinition.externalParameters['command'] = [])],
    [
      'whose output lies outside of the source',
      ({ predicate }) => void (predicate.buildDefinition.externalParameters['output'] = 'dist/../../image.js'),
    ],
    [
      'whose folder is absolute',
      ({ predicate }) => void (predicate.buildDefinition.externalParameters['folder'] = '/gateway'),
    ],
    [
      'whose source is no dependency',
      ({ predicate }) => void (predicate.buildDefinition.externalParameters['source'] = 'git+https://example.com/x'),
    ],
    [
      'whose source is a dependency twice',
      ({ predicate: { buildDefinition } }) => {
        const { externalParameters } = buildDefinition;
        buildDefinition.resolvedDependencies.push({ uri: externalParameters['source'], digest: { gitCommit: COMMIT } });
      },
    ],
    [
      'whose source has no digest',
      ({ predicate }) =>
        void (
          predicate.buildDefinition.resolvedDependencies[0] ?? {},
          delete predicate.buildDefinition.resolvedDependencies[0]?.['digest']
        ),
    ],
    [
      'whose source is pinned in two ways',
      ({ predicate: { buildDefinition } }) =>
        void Object.assign(buildDefinition.resolvedDependencies[0] ?? {}, {
          digest: { gitCommit: COMMIT, dirHash: OTHER },
        }),
    ],
    [
      'whose commit is abbreviated',
      ({ predicate: { buildDefinition } }) =>
        void Object.assign(buildDefinition.resolvedDependencies[0] ?? {}, {
          digest: { gitCommit: COMMIT.slice(0, 12) },
        }),
    ],
    ['without a builder', ({ predicate }) => void delete predicate.runDetails.builder['id']],
    ['whose builder is not a URI', ({ predicate }) => void (predicate.runDetails.builder['id'] = 'the builder')],
    [
      'that finished before it started',
      ({ predicate }) => void (predicate.runDetails.metadata['finishedOn'] = '1999-01-01T00:00:00Z'),
    ],
    [
      'that started on a day that does not exist',
      ({ predicate }) => void (predicate.runDetails.metadata['startedOn'] = '2026-02-30T00:00:00Z'),
    ],
    [
      'whose runs are out of order',
      ({ predicate }) => void (predicate.runDetails.byproducts = predicate.runDetails.byproducts?.toReversed() ?? null),
    ],
    [
      'whose run stands there twice',
      ({ predicate }) =>
        void predicate.runDetails.byproducts?.push(...(predicate.runDetails.byproducts ?? []).slice(1)),
    ],
    ['whose run has no digest', ({ predicate }) => void delete predicate.runDetails.byproducts?.[1]?.['digest']],
    [
      'whose run has no surroundings',
      ({ predicate }) => void delete predicate.runDetails.byproducts?.[1]?.['annotations'],
    ],
  ];
  test.each(refused)('%s is refused', (_, change) => {
    expect(parseProvenance(changed(change))).toMatchObject({ ok: false, code: 'STATEMENT_MALFORMED' });
  });

  test('is read with as many runs as the limit says, and refused with one more', () => {
    const withRuns = (count: number): Uint8Array => {
      const [run] = EXAMPLE.runs;
      return encodeProvenance({ ...EXAMPLE, runs: run === undefined ? [] : Array.from({ length: count }, () => run) });
    };
    expect(parseProvenance(withRuns(RUNS_MAX)).ok).toBe(true);
    expect(parseProvenance(withRuns(RUNS_MAX + 1))).toMatchObject({ ok: false, code: 'STATEMENT_MALFORMED' });
  });
});

describe('an image counts as reproduced', () => {
  const [first, second] = EXAMPLE.runs;
  if (first === undefined || second === undefined) throw new Error('the example has two runs');

  test('only by two runs, each with its digest, in surroundings that have nothing in common', () => {
    expect(reproduced(EXAMPLE)).toBe(true);
    expect(reproduced({ ...EXAMPLE, runs: [] })).toBe(false);
    expect(reproduced({ ...EXAMPLE, runs: [first] })).toBe(false);
    expect(reproduced({ ...EXAMPLE, runs: [first, first] })).toBe(false);
    expect(reproduced({ ...EXAMPLE, runs: [first, { ...second, sha256: OTHER }] })).toBe(false);
    expect(reproduced({ ...EXAMPLE, runs: [first, second, { ...second, sha256: OTHER }] })).toBe(false);
    expect(reproduced({ ...EXAMPLE, subjects: [{ name: 'image.js', sha256: OTHER }] })).toBe(false);
    expect(reproduced({ ...EXAMPLE, subjects: [...EXAMPLE.subjects, { name: 'b', sha256: OTHER }] })).toBe(false);
  });

  test.each(Object.keys(first.surroundings))('not if its runs had the same %s', (name) => {
    const shared = Object.entries(first.surroundings).filter(([member]) => member === name);
    const surroundings = { ...second.surroundings, ...Object.fromEntries(shared) };
    expect(reproduced({ ...EXAMPLE, runs: [first, { sha256: IMAGE, surroundings }] })).toBe(false);
  });

  test('not if one of three runs repeats the surroundings of another', () => {
    expect(reproduced({ ...EXAMPLE, runs: [first, second, second] })).toBe(false);
  });
});

/** What a reader that knows nothing of our parsers takes from the places that the document names. */
function readIndependently(bytes: Uint8Array): unknown {
  const { subject, predicateType, predicate } = JSON.parse(new TextDecoder().decode(bytes)) as {
    subject: { name?: string; digest: { sha256: string } }[];
    predicateType: string;
    predicate: {
      buildDefinition: {
        buildType: string;
        externalParameters: { source: string; environment?: object | null };
        resolvedDependencies: { uri?: string; name?: string; digest?: { [algorithm: string]: string } | null }[];
      };
      runDetails: {
        builder: { id: string; version?: object | null };
        metadata: { invocationId: string; startedOn: string; finishedOn: string };
        byproducts?: ({ name?: string; digest: { sha256: string }; annotations: Plain } | null)[] | null;
      };
    };
  };
  const { buildDefinition, runDetails } = predicate;
  const { externalParameters, resolvedDependencies } = buildDefinition;
  const pins = resolvedDependencies.filter(({ uri }) => uri === externalParameters.source);
  const { gitCommit, dirHash } = pins[0]?.digest ?? {};
  return {
    predicateType,
    buildType: buildDefinition.buildType,
    subjects: subject.map(({ name, digest }) => ({ name: name ?? '_', sha256: digest.sha256 })),
    externalParameters: { ...externalParameters, environment: externalParameters.environment || {} },
    pins: pins.length,
    commit: [gitCommit, dirHash].filter((digest) => typeof digest === 'string' && digest !== ''),
    dependencies: resolvedDependencies
      .filter(({ name, digest }) => (name ?? '') !== '' && (digest?.['sha256'] ?? '') !== '')
      .map(({ name, digest }) => ({ name, sha256: digest?.['sha256'] })),
    builderId: runDetails.builder.id,
    builderVersions: runDetails.builder.version || {},
    invocationId: runDetails.metadata.invocationId,
    times: [runDetails.metadata.startedOn, runDetails.metadata.finishedOn].map((time) => Date.parse(time)),
    runs: (runDetails.byproducts || []).flatMap((byproduct) =>
      typeof byproduct?.name === 'string' && byproduct.name.startsWith('run-')
        ? [{ name: byproduct.name, sha256: byproduct.digest.sha256 }]
        : [],
    ),
  };
}

/** The same of what our parser took. */
function asIndependent(provenance: Provenance): unknown {
  const { externalParameters, source, startedOn, finishedOn } = provenance;
  return {
    predicateType: PROVENANCE_PREDICATE_TYPE,
    buildType: TWO_RUNS_BUILD_TYPE,
    subjects: provenance.subjects,
    externalParameters: { ...externalParameters, environment: Object.fromEntries(externalParameters.environment) },
    pins: 1,
    commit: [source.commit],
    dependencies: provenance.dependencies,
    builderId: provenance.builderId,
    builderVersions: Object.fromEntries(provenance.builderVersions),
    invocationId: provenance.invocationId,
    times: [startedOn, finishedOn],
    runs: provenance.runs.map(({ sha256 }, index) => ({ name: `run-${index + 1}`, sha256 })),
  };
}

describe('an altered provenance', () => {
  test('is refused or means what an independent reader finds in it, and never throws', () => {
    let read = 0;
    const { made, wellFormed } = tryMutants(encodeProvenance(EXAMPLE), (mutant) => {
      const provenance = parseProvenance(mutant);
      if (!provenance.ok) {
        expect(provenance.code).toBe('STATEMENT_MALFORMED');
        return;
      }
      read++;
      expect(asIndependent(provenance.value)).toEqual(readIndependently(mutant));
      expect(accepted(parseProvenance(encodeProvenance(provenance.value)))).toEqual(provenance.value);
    });
    expect(wellFormed * 3).toBeGreaterThanOrEqual(made);
    expect(read).toBeGreaterThan(0);
  });

  test('never counts as reproduced with a digest that no two runs had', () => {
    tryMutants(encodeProvenance(EXAMPLE), (mutant) => {
      const provenance = parseProvenance(mutant);
      if (!provenance.ok || !reproduced(provenance.value)) return;
      const digests = new Set(provenance.value.runs.map(({ sha256 }) => sha256));
      expect(digests.size).toBe(1);
      for (const { sha256 } of provenance.value.subjects) expect(digests.has(sha256)).toBe(true);
    });
  });
});
