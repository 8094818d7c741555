/**
 * What a verb of `firmament` is: a command with options, and an answer.
 *
 * - A verb returns its answer or refusal as a verdict; `outcome.ts` alone decides how it is shown and with which code it exits.
 * - The process (clock, streams, terminal) is handed in, so that a verb is a function of its arguments.
 */
import type { Command } from 'commander';
import type { Clock } from '../formats/clock.ts';
import type { Verdict } from '../formats/verdict.ts';

/** What a verb did: members for the JSON line, and the same in words. */
export type Answer = {
  readonly facts: Readonly<
    Record<string, string | number | boolean | readonly object[] | readonly string[] | undefined>
  >;
  readonly text: string;
};

export type Host = {
  readonly now: Clock['now'];
  /** A fresh UUID. */
  readonly newId: () => string;
  /** A fresh random key of so many bytes. */
  readonly newKey: (sizeBytes: number) => Uint8Array;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** For people: standard error. */
  readonly say: (text: string) => void;
  /** Whether a person sits at the terminal and can be asked. */
  readonly isInteractive: boolean;
  /** Aborted when the process is asked to end. */
  readonly stop: AbortSignal;
};

/** Takes a verb's answer. */
export type Conclude = (verdict: Verdict<Answer>) => void;

/** Adds a verb's description, options and action to `command`. */
export type DefineVerb = (command: Command, host: Host, conclude: Conclude) => void;
