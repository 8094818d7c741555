/**
 * One look at the world shared by everyone who asked before it began.
 *
 * - Nobody gets the result of a look that began before they asked: what is answered was true after the question.
 * - One look runs at a time, and at most one waits for it: the cost of looking is bounded, however many ask.
 *   A question that comes alone has its look at once; in a crowd it waits for the look before, and shares its own.
 * - A look begins at the end of a turn of the event loop, so that all requests read in that turn share it.
 */
import { setImmediate } from 'node:timers/promises';

/**
 * Makes `look` shared.
 * @param whenIdle told each time a look has ended and nobody waits for another.
 * @returns a function that asks; its promise settles as the look does that serves this question.
 */
export function shareLook<T>(look: () => Promise<T>, whenIdle: () => void): () => Promise<T> {
  let waiting: Promise<T> | undefined;
  let before: Promise<unknown> = Promise.resolve();
  const nextLook = async (): Promise<T> => {
    await Promise.allSettled([before, setImmediate()]);
    waiting = undefined;
    const result = look();
    before = result;
    try {
      return await result;
    } finally {
      if (waiting === undefined) whenIdle();
    }
  };
  return () => (waiting ??= nextLook());
}
