/**
 * Names that come from outside: products, roles, releases, target names.
 *
 * - Allow-lists, not deny-lists; a name is data and never joined into a path without having passed one of these.
 * - A target of ours is named `RELEASE/COMPONENT/FILE` (`docs/formats/release.md`).
 */
import { text, type Decoder } from './decode.ts';

const SEGMENT = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const SEGMENT_LENGTH_MAX = 64;

/** A product, a channel, a component or a hardware id: lower-case letters, digits and dashes. */
export const nameDecoder: Decoder<string> = text(63, /^[a-z0-9][a-z0-9-]*$/);

/** A release or file name: also upper case, dot and underscore; it never starts with a dot. */
export const segmentDecoder: Decoder<string> = text(SEGMENT_LENGTH_MAX, SEGMENT);

/**
 * The roles beside a channel: one opens waves, one stops them (`docs/formats/plan.md`); one keeps the releases that are out of force
 * (`docs/formats/release.md`), and the channel itself delegates that one.
 */
export type Side = 'rollout' | 'halt' | 'history';

/** The name of a role beside `channel`. */
export function sideRole(channel: string, side: Side): string {
  return `${channel}-${side}`;
}

/** The channel that a role beside it belongs to. */
export function channelOf(side: string): string {
  return side.replace(/-(rollout|halt|history)$/, '');
}

/** Whether `name` is reserved for a role beside a channel: then it is no channel. */
export function isSideRole(name: string): boolean {
  return /-(rollout|halt|history)$/.test(name);
}

const NUMBER = '(?:0|[1-9][0-9]*)';
/** A part of a pre-release: a number, or letters, digits and dashes that are no number. */
const IDENTIFIER = `(?:${NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)`;

/** A version for people, in the form of SemVer 2.0.0 without build metadata. */
export const firmwareVersionDecoder: Decoder<string> = text(
  SEGMENT_LENGTH_MAX,
  new RegExp(`${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-${IDENTIFIER}(?:\\.${IDENTIFIER})*)?`),
);

export type TargetName = { readonly release: string; readonly component: string; readonly file: string };

/** The parts of a target name of ours, or undefined if it is not of that form. */
export function parseTargetName(name: string): TargetName | undefined {
  const [release, component, file, ...more] = name.split('/');
  if (release === undefined || component === undefined || file === undefined || more.length > 0) return undefined;
  const good = [release, component, file].every((part) => part.length <= SEGMENT_LENGTH_MAX && SEGMENT.test(part));
  return good ? { release, component, file } : undefined;
}

/** The release that a target belongs to, or undefined if its name is none of ours. */
export function releaseOf(targetName: string): string | undefined {
  return parseTargetName(targetName)?.release;
}

/** The text form of a target name. */
export function encodeTargetName(name: TargetName): string {
  return `${name.release}/${name.component}/${name.file}`;
}

/** Where a repository keeps its log, below the product. */
export const LOG_FOLDER = 'log';

/** Where it keeps the proof of an entry, below the product. @param leaf the hash of its leaf, in hex. */
export function logProofPath(leaf: string): string {
  return `${LOG_FOLDER}/proof/${leaf}`;
}

/**
 * Where a repository keeps a target, below the product: its digest stands before its file name, so that no content
 * ever replaces another (TUF specification 1.0.34, section 6.2).
 */
export function hashedTargetPath(target: { readonly name: string; readonly sha256: string }): string {
  const file = target.name.lastIndexOf('/') + 1;
  return `targets/${target.name.slice(0, file)}${target.sha256}.${target.name.slice(file)}`;
}
