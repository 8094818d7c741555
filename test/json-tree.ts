/**
 * JSON as a tree that can hold more than JSON values: names that stand twice, numbers in any spelling, halves of characters.
 *
 * - A scalar is the text that is written for it, so that an edit may write what no serialiser would.
 * - Every edit is a function of the node, a number that picks among its variants, and the whole tree to graft from.
 */
import { encodeUtf8 } from '../formats/bytes.ts';

type Scalar = { readonly kind: 'scalar'; readonly text: string };
type List = { readonly kind: 'list'; readonly items: readonly Tree[] };
type Members = readonly (readonly [string, Tree])[];
type ObjectTree = { readonly kind: 'object'; readonly members: Members };
export type Tree = Scalar | List | ObjectTree;

/** One kind of change; undefined where it does not apply to a node. */
export type TreeEdit = (node: Tree, pick: number, whole: Tree) => Tree | undefined;

/** The tree of a JSON text, as JSON.parse reads it. */
export function readTree(bytes: Uint8Array): Tree {
  return fromPlain(JSON.parse(new TextDecoder().decode(bytes)));
}

function fromPlain(plain: unknown): Tree {
  if (Array.isArray(plain)) return { kind: 'list', items: plain.map(fromPlain) };
  if (typeof plain !== 'object' || plain === null) return scalar(JSON.stringify(plain));
  return { kind: 'object', members: Object.entries(plain).map(([name, value]) => [name, fromPlain(value)] as const) };
}

/** The JSON text of `tree`. */
export function writeTree(tree: Tree): Uint8Array {
  return encodeUtf8(textOf(tree));
}

function textOf(tree: Tree): string {
  if (tree.kind === 'scalar') return tree.text;
  if (tree.kind === 'list') return `[${tree.items.map(textOf).join()}]`;
  return `{${tree.members.map(([name, value]) => `${JSON.stringify(name)}:${textOf(value)}`).join()}}`;
}

/** `tree` with one change, at the `at`-th of the nodes that the edit applies to; unchanged if there is none. */
export function editTree(
  tree: Tree,
  { edit, at, pick }: { readonly edit: TreeEdit; readonly at: number; readonly pick: number },
): Tree {
  const places = nodesOf(tree).filter((node) => edit(node, pick, tree) !== undefined);
  const place = places[at % Math.max(places.length, 1)];
  return place === undefined ? tree : replace(tree, place, edit(place, pick, tree) ?? place);
}

function nodesOf(tree: Tree): readonly Tree[] {
  if (tree.kind === 'scalar') return [tree];
  const children = tree.kind === 'list' ? tree.items : tree.members.map(([, value]) => value);
  return [tree, ...children.flatMap(nodesOf)];
}

/** Nodes are told apart by identity; one that an edit has put in two places changes in both. */
function replace(tree: Tree, place: Tree, by: Tree): Tree {
  if (tree === place) return by;
  if (tree.kind === 'list') return { kind: 'list', items: tree.items.map((item) => replace(item, place, by)) };
  if (tree.kind === 'scalar') return tree;
  return { kind: 'object', members: tree.members.map(([name, value]) => [name, replace(value, place, by)] as const) };
}

const scalar = (text: string): Scalar => ({ kind: 'scalar', text });
const list = (...items: readonly Tree[]): List => ({ kind: 'list', items });
const object = (...members: Members): ObjectTree => ({ kind: 'object', members });

/** Values that belong nowhere, or at the border of what belongs. */
const SCALARS: readonly string[] = [
  ...['null', 'true', 'false', '0', '-1', '1', '2', '64', '65', '2147483648', '9007199254740991'],
  ...['1.5', '1.0', '1e3', '-0', '01', '9007199254740992', '9007199254740993', '1e400', 'NaN'],
  ...['""', '" "', '"0"', '"1"', '"a"', '"\\u0000"', '"\\ud800"', '"é"', '"\\ud83d\\ude00"', '"A/B/C"', '"../../x"'],
  ...[
    '"__proto__"',
    '"constructor"',
    '"root"',
    '"targets"',
    '"2030-02-30T00:00:00Z"',
    '"2030"',
    '"a\\\\b"',
    '"%2e%2e"',
  ],
  ...[65, 129, 257, 600, 1100, 9000, 20_000].map((length) => `"${'a'.repeat(length)}"`),
];
const NAMES: readonly string[] = [
  ...['', 'x', '__proto__', 'constructor', 'version', 'firmament', 'keys', 'hashes', 'sha256', 'custom', 'delegations'],
  ...['snapshot.json', 'targets.json', '../x.json', '1.0.0/gateway/other.js', 'é', '\u{1f600}', 'a'.repeat(600)],
];
const SPELLINGS: readonly ((text: string, at: number) => string)[] = [
  neighbour,
  neighbour,
  neighbour,
  (text) => text.toUpperCase(),
  (text) => `${text}x`,
  (text) => text.slice(1),
  (text) => text.slice(0, -1),
  (text) => ` ${text}`,
  (text) => `${text}${text}`,
  (text) => `${text.slice(0, -1)}0`,
  (text) => `${text}\n`,
];

/** `text` with the letter or digit at `at`, or the first one after it, turned into its neighbour: hex stays hex, a date a date. */
function neighbour(text: string, at: number): string {
  const start = at % Math.max(text.length, 1);
  const next = (letter: string): string =>
    /[9fzFZ]/.test(letter) ? letter : String.fromCharCode(letter.charCodeAt(0) + 1);
  return text.slice(0, start) + text.slice(start).replace(/[0-9A-Za-z]/, next);
}

/** One of `options`, by `pick`; the lists here are never empty. */
function picked<T>(options: readonly T[], pick: number): T {
  return options[pick % options.length] as T;
}

function editItems(change: (items: readonly Tree[], at: number) => readonly Tree[]): TreeEdit {
  return (node, pick) =>
    node.kind === 'list' && node.items.length > 0 ? list(...change(node.items, pick % node.items.length)) : undefined;
}

function editMembers(change: (members: Members, at: number, pick: number) => Members): TreeEdit {
  return (node, pick) =>
    node.kind === 'object' && node.members.length > 0
      ? object(...change(node.members, pick % node.members.length, Math.floor(pick / node.members.length)))
      : undefined;
}

/** `depth` lists around `node`. */
function buried(node: Tree, depth: number): Tree {
  return depth === 0 ? node : list(buried(node, depth - 1));
}

/** Every kind of change, with more weight on near misses of strings and on members: that is where formats differ. */
export const TREE_EDITS: readonly TreeEdit[] = [
  (_, pick) => scalar(picked(SCALARS, pick)),
  (node, pick) => (node.kind === 'scalar' ? scalar(picked(SCALARS, pick)) : undefined),
  (node, pick) => (/^-?\d+$/.test(textOf(node)) ? scalar(String(Number(textOf(node)) + (pick % 5) - 2)) : undefined),
  respell,
  respell,
  respell,
  (_, pick) => picked([list(), object()], pick),
  (node, pick) => picked([list(node), object(['a', node]), buried(node, 40)], pick),
  (_, pick, whole) => picked(nodesOf(whole), pick),
  editItems((items, at) => items.filter((_, i) => i !== at)),
  editItems((items, at) => items.flatMap((item, i) => (i === at ? [item, item] : [item]))),
  editItems((items, at) => items.concat(Array.from({ length: 70 }, () => items[at] ?? list()))),
  editItems((items) => items.toReversed()),
  editMembers((members, at) => members.filter((_, i) => i !== at)),
  editMembers((members, at, pick) => [...members, [picked(NAMES, pick), members[at]?.[1] ?? list()]]),
  editMembers((members, at, pick) => renamed(members, at, picked(NAMES, pick))),
  editMembers((members, at) => renamed(members, at, members[at]?.[0].toUpperCase() ?? '')),
  editMembers((members, at, pick) => renamed(members, at, picked(members, pick)[0])),
  editMembers((members, at) => members.toSpliced(at, 0, ...members.slice(at, at + 1))),
  editMembers((members) => members.toReversed()),
];

function renamed(members: Members, at: number, name: string): Members {
  return members.map((member, i) => (i === at ? [name, member[1]] : member));
}

/** A string becomes another one of nearly the same shape. */
function respell(node: Tree, pick: number): Tree | undefined {
  return textOf(node).startsWith('"') ? scalar(respelled(textOf(node), pick)) : undefined;
}

/** A string in another spelling: one character changed, shorter, longer, in capitals. */
function respelled(text: string, pick: number): string {
  const spelling = picked(SPELLINGS, pick);
  return JSON.stringify(spelling(String(JSON.parse(text)), Math.floor(pick / SPELLINGS.length)));
}
