/** The options of `firmament channel-draft` that change the ways from release to release. */
import { InvalidArgumentError, type Command } from 'commander';
import { firmwareVersionDecoder, segmentDecoder } from '../formats/names.ts';
import type { DeadEnd, VersionRange } from '../formats/update-graph.ts';
import type { GraphDraft } from '../signer/draft-graph.ts';

export type GraphOptions = {
  readonly waypoint: readonly string[];
  readonly over: ReadonlyMap<string, readonly VersionRange[]>;
  readonly deadEnd: readonly DeadEnd[];
  readonly recall: readonly string[];
  readonly freeWay: readonly string[];
};

/** Adds the options. */
export function addGraphOptions(command: Command): Command {
  return command
    .option('--waypoint <release...>', 'listed releases that no device below them skips', [])
    .option(
      '--over <release=min..below>',
      'the versions that a release is installed over, like 2.0.0=1.5.0..2.0.0 or 2.0.0=1.5.0..; may be repeated',
      addRange,
      new Map<string, readonly VersionRange[]>(),
    )
    .option('--dead-end <release=reason>', 'a release from which no update leads; may be repeated', addDeadEnd, [])
    .option('--recall <release...>', 'releases to step back from, to the one in force, within the same counter', [])
    .option('--free-way <release...>', 'releases of which nothing is to be said any more', []);
}

/** What `options` change. */
export function graphOf({ waypoint, over, deadEnd, recall, freeWay }: GraphOptions): GraphDraft {
  return { waypoints: waypoint, from: over, deadEnds: deadEnd, recalled: recall, without: freeWay };
}

function addRange(
  value: string,
  former: ReadonlyMap<string, readonly VersionRange[]>,
): ReadonlyMap<string, readonly VersionRange[]> {
  const { release, rest } = split(value, 'RELEASE=MIN..BELOW is expected, one of the two may be empty');
  const at = rest.indexOf('..');
  if (at < 0) throw new InvalidArgumentError('MIN..BELOW is expected, one of the two may be empty');
  const range = { min: versionOf(rest.slice(0, at)), below: versionOf(rest.slice(at + 2)) };
  return new Map([...former, [release, [...(former.get(release) ?? []), range]]]);
}

function versionOf(text: string): string | undefined {
  if (text === '') return undefined;
  const version = firmwareVersionDecoder(text);
  if (!version.ok) throw new InvalidArgumentError(`${text}: a version like 1.5.0 is expected`);
  return version.value;
}

function addDeadEnd(value: string, former: readonly DeadEnd[]): readonly DeadEnd[] {
  const { release, rest } = split(value, 'RELEASE=REASON is expected');
  return [...former, { release, reason: rest }];
}

function split(value: string, expected: string): { readonly release: string; readonly rest: string } {
  const at = value.indexOf('=');
  const release = segmentDecoder(value.slice(0, Math.max(at, 0)));
  if (!release.ok || at === value.length - 1) throw new InvalidArgumentError(expected);
  return { release: release.value, rest: value.slice(at + 1) };
}
