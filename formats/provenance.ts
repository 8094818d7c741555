/**
 * SLSA provenance of a build that one builder ran at least twice: where an image comes from and that it came out the same.
 *
 * - One build type is known, and its parameters are understood whole: an unknown external parameter is refused.
 * - The source is the one resolved dependency whose URI is the external parameter `source`; it is pinned by a git commit or,
 *   outside git, by the `dirHash` of its files; never by both.
 * - The runs stand among the byproducts (`build-run.ts`).
 * - Unset, null and empty are the same; other unknown members are ignored (SLSA's parsing rules), which never allows more.
 * - The parser says what the builder claims; `reproduced` says whether it claims enough. Who the builder is, the caller checks.
 * - Source: https://slsa.dev/provenance/v1 (1.1); ours is specified in `docs/formats/provenance.md`.
 */
import { nothingShared, runsDecoder, runToPlain, type Run } from './build-run.ts';
import { encodeUtf8 } from './bytes.ts';
import { hexText, list, literal, mapOf, object, optional, refine, shape, text, type Decoder } from './decode.ts';
import { encodeInstant, instantDecoder, type Instant } from './instant.ts';
import { parseStatement, statementToPlain, type Subject } from './statement.ts';
import type { Builder } from './trust-part.ts';
import { accept, type Verdict } from './verdict.ts';

export const PROVENANCE_PREDICATE_TYPE = 'https://slsa.dev/provenance/v1';
/** Built by `actions/build`: at least two runs in surroundings that have nothing in common. */
export const TWO_RUNS_BUILD_TYPE = 'https://firmament.dev/buildtypes/two-runs/v1';

/** What a builder is asked to build; whoever asks may choose all of it, so a verifier must look at all of it. */
export type ExternalParameters = {
  /** URI of the source. */
  readonly source: string;
  /** Folder within the source that is built, `.` for all of it. */
  readonly folder: string;
  /** Program and arguments, run in that folder; `node` is the builder's own Node. */
  readonly command: readonly string[];
  /** The file that becomes the image, from that folder. */
  readonly output: string;
  /** Variables that the build sees beside those that the builder varies. */
  readonly environment: ReadonlyMap<string, string>;
};

/** The source that was built: `commit` is the digest by `algorithm`. */
export type SourcePin = { readonly uri: string; readonly commit: string; readonly algorithm: 'gitCommit' | 'dirHash' };
/** A further thing that the build used, such as a lock file, by digest. */
export type Dependency = { readonly name: string; readonly sha256: string };

export type Provenance = {
  readonly subjects: readonly Subject[];
  readonly buildType: typeof TWO_RUNS_BUILD_TYPE;
  readonly externalParameters: ExternalParameters;
  readonly source: SourcePin;
  readonly dependencies: readonly Dependency[];
  readonly builderId: string;
  /** Versions of the builder's parts, by name. */
  readonly builderVersions: ReadonlyMap<string, string>;
  readonly invocationId: string;
  readonly startedOn: Instant;
  readonly finishedOn: Instant;
  readonly runs: readonly Run[];
};

/** Provenance with the listed builders whose keys signed it; one of them may still not be the one that it names. */
export type SignedProvenance = { readonly provenance: Provenance; readonly signers: readonly Builder[] };

const DEPENDENCIES_MAX = 256;
const PRINTABLE = /^[^\p{Cc}]+$/u;
const URI = /^[a-z][a-z0-9+.-]*:[\x21-\x7e]+$/;

/** A URI as builders and sources are named: printable, with its scheme, at most 512 characters. */
export const uriDecoder: Decoder<string> = text(512, URI);
const uri = uriDecoder;
const line = text(512, PRINTABLE);
/** A file within the source: relative, with slashes, without `.` and `..`. */
export const pathDecoder: Decoder<string> = refine(text(512, PRINTABLE), (path) =>
  path.split('/').every((part) => part !== '' && part !== '.' && part !== '..') && !path.includes('\\')
    ? accept(path)
    : shape('a path with slashes, relative and without . and .. is expected'),
);

/** Program and arguments. */
export const commandDecoder: Decoder<readonly string[]> = list(text(4096, PRINTABLE), 64, 1);

/** Variables by name. */
export const environmentDecoder: Decoder<ReadonlyMap<string, string>> = mapOf(
  text(128, /^[A-Za-z_][A-Za-z0-9_]*$/),
  text(4096, PRINTABLE),
  64,
);

const parametersDecoder: Decoder<ExternalParameters> = refine(
  object('refused', {
    source: uri,
    folder: (json) => (json === '.' ? accept(json) : pathDecoder(json)),
    command: commandDecoder,
    output: pathDecoder,
    environment: unset(environmentDecoder),
  }),
  ({ environment, ...parameters }) => accept({ ...parameters, environment: environment ?? new Map() }),
);

const dependencyDecoder = object('ignored', {
  name: unset(line),
  uri: unset(text(2048, PRINTABLE)),
  digest: unset(
    object('ignored', {
      gitCommit: unset(text(64, /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/)),
      dirHash: unset(hexText(32)),
      sha256: unset(hexText(32)),
    }),
  ),
});

const predicateDecoder = refine(
  object('ignored', {
    buildDefinition: object('ignored', {
      buildType: literal(TWO_RUNS_BUILD_TYPE),
      externalParameters: parametersDecoder,
      resolvedDependencies: list(dependencyDecoder, DEPENDENCIES_MAX, 1),
    }),
    runDetails: object('ignored', {
      builder: object('ignored', { id: uri, version: unset(mapOf(line, line, 64)) }),
      metadata: object('ignored', { invocationId: line, startedOn: instantDecoder, finishedOn: instantDecoder }),
      byproducts: unset(runsDecoder),
    }),
  }),
  ({ buildDefinition, runDetails: { builder, metadata, byproducts } }) => {
    const { externalParameters, resolvedDependencies } = buildDefinition;
    const source = pinOf(resolvedDependencies, externalParameters.source);
    if (!source.ok) return source;
    if (metadata.finishedOn < metadata.startedOn) return shape('.runDetails.metadata: it finished before it started');
    return accept({
      buildType: buildDefinition.buildType,
      externalParameters,
      source: source.value,
      dependencies: resolvedDependencies.flatMap(({ name, digest }) =>
        name !== undefined && digest?.sha256 !== undefined ? [{ name, sha256: digest.sha256 }] : [],
      ),
      builderId: builder.id,
      builderVersions: builder.version ?? new Map<string, string>(),
      ...metadata,
      runs: byproducts ?? [],
    });
  },
);

/**
 * Parses the payload of an envelope whose signature has been verified.
 * @returns what the builder claims, or `STATEMENT_MALFORMED` with the place of the fault. Never throws.
 */
export function parseProvenance(payload: Uint8Array): Verdict<Provenance, 'STATEMENT_MALFORMED'> {
  const type = { predicateType: PROVENANCE_PREDICATE_TYPE, predicate: predicateDecoder };
  const statement = parseStatement(payload, type);
  return statement.ok ? accept({ subjects: statement.value.subjects, ...statement.value.predicate }) : statement;
}

/**
 * Whether the builder claims to have reproduced the image: at least two runs, each with the digest of every subject,
 * and no two of them with a surrounding in common.
 */
export function reproduced(provenance: Provenance): boolean {
  const { runs, subjects } = provenance;
  if (runs.length < 2) return false;
  if (!runs.every((run) => subjects.every((subject) => subject.sha256 === run.sha256))) return false;
  return runs.every((run, index) =>
    runs.slice(index + 1).every((other) => nothingShared(run.surroundings, other.surroundings)),
  );
}

/** The payload of the provenance: the same bytes for the same content. */
export function encodeProvenance(provenance: Provenance): Uint8Array {
  const { externalParameters, source } = provenance;
  const predicate = {
    buildDefinition: {
      buildType: provenance.buildType,
      externalParameters: {
        source: externalParameters.source,
        folder: externalParameters.folder,
        command: externalParameters.command,
        output: externalParameters.output,
        environment: Object.fromEntries(externalParameters.environment),
      },
      resolvedDependencies: [
        { uri: source.uri, digest: { [source.algorithm]: source.commit } },
        ...provenance.dependencies.map(({ name, sha256 }) => ({ name, digest: { sha256 } })),
      ],
    },
    runDetails: {
      builder: { id: provenance.builderId, version: Object.fromEntries(provenance.builderVersions) },
      metadata: {
        invocationId: provenance.invocationId,
        startedOn: encodeInstant(provenance.startedOn),
        finishedOn: encodeInstant(provenance.finishedOn),
      },
      byproducts: provenance.runs.map(runToPlain),
    },
  };
  const type = { predicateType: PROVENANCE_PREDICATE_TYPE, predicate };
  return encodeUtf8(JSON.stringify(statementToPlain(provenance.subjects, type)));
}

/** The one dependency that pins `source`: a second one would leave open which was built. */
function pinOf(
  dependencies: readonly {
    readonly uri: string | undefined;
    readonly digest: { readonly gitCommit: string | undefined; readonly dirHash: string | undefined } | undefined;
  }[],
  source: string,
): Verdict<SourcePin, 'SHAPE_MALFORMED'> {
  const [pin, ...more] = dependencies.filter((dependency) => dependency.uri === source);
  const { gitCommit, dirHash } = pin?.digest ?? {};
  if (more.length > 0) return shape('.buildDefinition.resolvedDependencies: the source stands there twice');
  if (gitCommit !== undefined && dirHash === undefined) {
    return accept({ uri: source, commit: gitCommit, algorithm: 'gitCommit' });
  }
  if (dirHash !== undefined && gitCommit === undefined) {
    return accept({ uri: source, commit: dirHash, algorithm: 'dirHash' });
  }
  return shape('.buildDefinition.resolvedDependencies: the source needs a gitCommit or a dirHash');
}

/** A member that may be absent, null or an empty string, all meaning the same (SLSA's parsing rules). */
function unset<T>(decoder: Decoder<T>): { readonly optional: Decoder<T | undefined> } {
  return optional((json) => (json === null || json === '' ? accept(undefined) : decoder(json)));
}
