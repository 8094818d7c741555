/**
 * Counted steps of synchronous work, so that growth is asserted without a clock.
 *
 * - A step is one touch of a map, a set, a string or an array through the methods below, or one item that an iterator hands out:
 *   loops, copies by spreading and comparisons of a sort all show in it. The same work always has the same count.
 * - Not seen: reads of typed arrays and copies of plain objects. Formats keep outside data in maps, so nothing grows there.
 */

type Methods = Record<PropertyKey, unknown>;

const ARRAY_ITERATOR: unknown = Object.getPrototypeOf([][Symbol.iterator]());
const MAP_ITERATOR: unknown = Object.getPrototypeOf(new Map()[Symbol.iterator]());
const SET_ITERATOR: unknown = Object.getPrototypeOf(new Set()[Symbol.iterator]());

const COUNTED: readonly (readonly [prototype: unknown, names: readonly string[]])[] = [
  [Map.prototype, ['get', 'set', 'has']],
  [Set.prototype, ['add', 'has']],
  [String.prototype, ['charAt', 'charCodeAt', 'codePointAt', 'indexOf', 'includes', 'slice', 'split', 'startsWith']],
  [Array.prototype, ['push', 'includes', 'indexOf', 'find', 'concat', 'slice']],
  [ARRAY_ITERATOR, ['next']],
  [MAP_ITERATOR, ['next']],
  [SET_ITERATOR, ['next']],
];

/** How many steps `work` takes. It must not wait for anything. */
export function countSteps(work: () => void): number {
  let steps = 0;
  const restore = COUNTED.flatMap(([prototype, names]) =>
    names.map((name) => {
      const methods = prototype as Methods;
      const original = methods[name] as (...args: readonly unknown[]) => unknown;
      methods[name] = function counted(this: unknown, ...args: readonly unknown[]): unknown {
        steps++;
        return Reflect.apply(original, this, args);
      };
      return () => {
        methods[name] = original;
      };
    }),
  );
  try {
    work();
  } finally {
    for (const put of restore) put();
  }
  return steps;
}
