/**
 * Why two outputs differ at one place: which of the things that were varied stands there in both.
 *
 * - A cause is named only if the first output shows the first run's value there, and the second output the second run's.
 * - A cause explains a stretch only if it makes up a fair part of it: random text holds every short word by chance.
 * - Where nothing that was varied explains it, it is `random`: a random value, or something computed from what was varied.
 */
import { join } from 'node:path';
import type { Surroundings } from '../../formats/build-run.ts';
import { momentsIn, spanOf, type Period, type Span } from './moments.ts';

export type Cause = 'time' | 'user' | 'host' | 'path' | 'time-zone' | 'locale' | 'file-order' | 'random';

/** What a run could have left in its output. */
export type Clues = {
  readonly surroundings: Surroundings;
  /** Periods that the build saw: its own clock, and the times of its files. */
  readonly moments: readonly Period[];
  /** The run's folder, absolute, and its home within. */
  readonly root: string;
  readonly home: string;
};

/** What a run could have left, in the forms in which it is written. */
export type Traces = {
  readonly moments: readonly Period[];
  readonly words: Readonly<Record<WordCause, readonly string[]>>;
};
type WordCause = 'user' | 'host' | 'path' | 'time-zone' | 'locale';

/** A differing stretch in a piece of its surrounding text, with the traces of the run that wrote it. */
export type Place = { readonly text: string; readonly span: Span; readonly traces: Traces };
/** The cause, and the stretches that show it as a whole, such as a full date where only its year differs. */
export type Explanation = { readonly cause: Cause; readonly first: Span; readonly second: Span };

/** A moment by which the zones of today are in force. */
const RECENTLY = Date.UTC(2024, 0, 1);
/** A stretch that is longer than its mark by more than this is not explained by it. */
const SPAN_PER_MARK_MAX = 32;
const UPWARDS = /(?:\.\.[\\/])+/g;

/** The traces that a run with these clues would leave. */
export function tracesOf({ surroundings, moments, root, home }: Clues): Traces {
  const { folder, user, host } = surroundings;
  return {
    moments,
    words: {
      user: [...pathForms(home), user],
      host: [host],
      path: [...[join(root, folder), root, folder].flatMap(pathForms), ...folder.split('/')],
      'time-zone': zoneForms(surroundings),
      locale: localeForms(surroundings.locale),
    },
  };
}

type Marks = (text: string, traces: Traces) => readonly Span[];

/** What each cause looks like, the most telling first: a home folder is also a path, and its name a user. */
const MARKS: readonly (readonly [Cause, Marks])[] = [
  ['time', (text, { moments }) => momentsIn(text, moments)],
  ['user', (text, { words }) => occurrences(text, words.user)],
  ['host', (text, { words }) => occurrences(text, words.host)],
  ['path', (text, { words }) => [...occurrences(text, words.path), ...[...text.matchAll(UPWARDS)].map(spanOf)]],
  ['time-zone', (text, { words }) => occurrences(text, words['time-zone'])],
  ['locale', (text, { words }) => occurrences(text, words.locale)],
];

/** Explains the difference between what stands at `first` and at `second`. */
export function explain(first: Place, second: Place): Explanation {
  for (const [cause, marksIn] of MARKS) {
    const a = touching(marksIn(first.text, first.traces), first.span);
    const b = a === undefined ? undefined : touching(marksIn(second.text, second.traces), second.span);
    if (a === undefined || b === undefined) continue;
    if (tells(a, first.span) && tells(b, second.span)) {
      return { cause, first: hull(a, first.span), second: hull(b, second.span) };
    }
  }
  const numbers = sameNumber(first, second);
  if (numbers !== undefined) return { cause: 'locale', ...numbers };
  return { cause: 'random', first: first.span, second: second.span };
}

/** A path as it stands in plain text, in a string literal of Windows, and in a URL. */
function pathForms(path: string): readonly string[] {
  return [path, path.replaceAll('\\', '\\\\'), encodeURI(path.replaceAll('\\', '/'))];
}

/** A zone's names, and its offset as programs write it. The zones of the runs have no summer time. */
function zoneForms({ timeZone, locale }: Surroundings): readonly string[] {
  const inZone = (tag: string, timeZoneName: 'long' | 'longOffset'): string =>
    partOf(new Intl.DateTimeFormat(tag, { timeZone, timeZoneName }), 'timeZoneName');
  const [, sign = '+', hours = '0', minutes = '0'] = /([+-])(\d+):(\d+)/.exec(inZone('en-US', 'longOffset')) ?? [];
  const short = `${sign}${Number(hours)}`;
  const behindMinutes = (Number(hours) * 60 + Number(minutes)) * (sign === '+' ? -1 : 1);
  const offsets = [`${sign}${hours}:${minutes}`, `${sign}${hours}${minutes}`, `GMT${short}`, `UTC${short}`];
  const names = [inZone('en-US', 'long'), inZone(tagOf(locale), 'long')];
  return [timeZone, ...names, ...offsets, String(behindMinutes)];
}

/** The BCP 47 tag of a POSIX locale. */
function tagOf(locale: string): string {
  return locale.replace(/\..*$/, '').replace('_', '-');
}

function partOf(format: Intl.DateTimeFormat, type: Intl.DateTimeFormatPartTypes): string {
  return format.formatToParts(RECENTLY).find((part) => part.type === type)?.value ?? '';
}

/** A locale's name in its spellings, and the months and days that only it writes so. */
function localeForms(locale: string): readonly string[] {
  const tag = tagOf(locale);
  const words: string[] = [];
  for (let month = 0; month < 12; month++) {
    const date = Date.UTC(2024, month, month + 1);
    for (const length of ['long', 'short'] as const) {
      const format = new Intl.DateTimeFormat(tag, { timeZone: 'UTC', month: length, weekday: length });
      words.push(...format.formatToParts(date).map(({ value }) => value.trim()));
    }
  }
  return [locale, tag.replace('-', '_'), tag, ...words.filter((word) => /\p{L}{3}/u.test(word))];
}

/** The whole numbers at both places, if they are one number in the writings of two locales. */
function sameNumber(first: Place, second: Place): { readonly first: Span; readonly second: Span } | undefined {
  const a = touching(numbersIn(first.text), first.span);
  const b = touching(numbersIn(second.text), second.span);
  if (a === undefined || b === undefined) return undefined;
  const digits = (text: string, { start, end }: Span): string => text.slice(start, end).replace(/\D/g, '');
  const written = first.text.slice(a.start, a.end) !== second.text.slice(b.start, b.end);
  const same = written && digits(first.text, a) === digits(second.text, b);
  return same ? { first: hull(a, first.span), second: hull(b, second.span) } : undefined;
}

function numbersIn(text: string): readonly Span[] {
  return [...text.matchAll(/\d+(?:[.,'’\u00a0\u202f ]\d+)*/g)].map(spanOf);
}

/** Every place where one of `words` stands in `text`. */
function occurrences(text: string, words: readonly string[]): readonly Span[] {
  const found: Span[] = [];
  for (const word of words) {
    if (word === '') continue;
    for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) {
      found.push({ start: at, end: at + word.length });
    }
  }
  return found;
}

/** Whether `mark` is a part of `span` worth naming: in a long stretch of random text something always looks like a year. */
function tells(mark: Span, span: Span): boolean {
  return (mark.end - mark.start) * SPAN_PER_MARK_MAX >= span.end - span.start;
}

/** The first of `marks` that overlaps `span`, or touches it where `span` is empty. */
function touching(marks: readonly Span[], span: Span): Span | undefined {
  const empty = span.start === span.end ? 1 : 0;
  return marks.find((mark) => mark.start < span.end + empty && mark.end > span.start - empty);
}

/** The smallest stretch that holds both. */
export function hull(a: Span, b: Span): Span {
  return { start: Math.min(a.start, b.start), end: Math.max(a.end, b.end) };
}
