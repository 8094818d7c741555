/**
 * A watch over one answer from the network: it may take long, but not stand still.
 *
 * - Aborts when no progress was told for `silenceMsMax`, and whatever is left of the answer at the end.
 */

export type SilenceLimits = {
  /** How long an answer may make no progress, in milliseconds. */
  readonly silenceMsMax: number;
  /** Aborted when nothing is wanted any more. */
  readonly stop: AbortSignal;
};

export type Silence = {
  readonly signal: AbortSignal;
  readonly progress: () => void;
  /** Ends the watch over an answer that came whole: its connection may serve on. */
  readonly rest: () => void;
  /** Ends the watch, and whatever is left of the answer. */
  readonly end: () => void;
};

/** Starts to watch. */
export function startSilence({ silenceMsMax, stop }: SilenceLimits): Silence {
  const abort = new AbortController();
  const timer = setTimeout(() => {
    abort.abort(new DOMException('no progress', 'TimeoutError'));
  }, silenceMsMax);
  return {
    signal: AbortSignal.any([abort.signal, stop]),
    progress: () => {
      timer.refresh();
    },
    rest: () => {
      clearTimeout(timer);
    },
    end: () => {
      clearTimeout(timer);
      abort.abort();
    },
  };
}
