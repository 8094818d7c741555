/**
 * One look at the world shared by everyone who asked before it began.
 *
 * - Nobody gets the result of a look that began before they asked: what is answered was true after the question.
 * - One look runs at a time, and looks begin at least `LOOKS_APART_MS` apart: their cost is bounded, however many ask.
 *   A question that comes alone has its look at once; in a crowd it waits so long at most, and for the look before.
 * - A look begins at the end of a turn of the event loop, so that all requests read in that turn share it.
 */
import { setImmediate, setTimeout } from 'node:timers/promises';

/** Nothing beside the way of a poll over a network, and enough for hundreds of polls to share a look. */
const LOOKS_APART_MS = 5;

/**
 * Makes `look` shared.
 * @param whenIdle told each time the next look could begin at once and nobody waits for it.
 * @returns a function that asks; its promise settles as the look does that serves this question.
 */
export function shareLook<T>(look: () => Promise<T>, whenIdle: () => void): () => Promise<T> {
  let waiting: Promise<T> | undefined;
  let before: Promise<unknown> = Promise.resolve();
  const nextLook = async (): Promise<T> => {
    await Promise.all([before, setImmediate()]);
    waiting = undefined;
    const result = look();
    before = Promise.allSettled([result, setTimeout(LOOKS_APART_MS)]).then(() => {
      if (waiting === undefined) whenIdle();
    });
    return result;
  };
  return () => (waiting ??= nextLook());
}
