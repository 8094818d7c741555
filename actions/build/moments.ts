/**
 * Finds moments in text: dates, times and counted seconds, in the forms in which programs write them.
 *
 * - Only a moment within given periods counts, so that a version number or a date of publication is not taken for a stamp.
 * - A form without a zone may mean any zone; a form without a time of day may mean any time of that day.
 */
export type Period = { readonly from: number; readonly to: number };

/** A stretch of text; an empty one stands between two characters. */
export type Span = { readonly start: number; readonly end: number };
type Reader = {
  readonly pattern: RegExp;
  readonly slackMs: number;
  readonly read: (text: string) => readonly number[];
};

const SECOND_MS = 1_000;
/** A local date can lie 14 hours before and 12 after the date in UTC, and names a day of 24. */
const LOCAL_SLACK_MS = 38 * 3_600 * SECOND_MS;

const READERS: readonly Reader[] = [
  // 2026-11-22T10:00:00.123Z, 2026-11-22 10:00:00+14:00
  {
    pattern: /\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)/g,
    slackMs: 60 * SECOND_MS,
    read: parsed,
  },
  // 2026-11-22, 2026-11-22 10:00
  { pattern: /\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)?/g, slackMs: LOCAL_SLACK_MS, read: parsed },
  // Sun, 22 Nov 2026 10:00:00 GMT; Sun Nov 22 2026 10:00:00 GMT+1400; Nov 22, 2026
  {
    pattern:
      /(?:[A-Z][a-z]{2},? )?(?:\d{1,2} [A-Z][a-z]{2,8}|[A-Z][a-z]{2,8} \d{1,2}),? \d{4}(?:,? \d{1,2}:\d\d(?::\d\d)?(?: [AP]M)?(?: (?:GMT|UTC)?(?:[+-]\d{4})?)?)?/g,
    slackMs: LOCAL_SLACK_MS,
    read: parsed,
  },
  // 22.11.2026, 11/22/2026, with or without a time
  {
    pattern: /\d{1,2}([./])\d{1,2}\1\d{4}(?:,? \d{1,2}:\d\d(?::\d\d)?(?: [AP]M)?)?/g,
    slackMs: LOCAL_SLACK_MS,
    read: dayAndMonth,
  },
  // 20261122, 20261122100000
  { pattern: /(?<!\d)(?:\d{14}|\d{8})(?!\d)/g, slackMs: LOCAL_SLACK_MS, read: packed },
  // Seconds, milliseconds, microseconds since 1970
  { pattern: /(?<!\d)\d{10}(?!\d)/g, slackMs: SECOND_MS, read: (text) => [Number(text) * SECOND_MS] },
  { pattern: /(?<!\d)\d{13}(?!\d)/g, slackMs: 0, read: (text) => [Number(text)] },
  { pattern: /(?<!\d)\d{16}(?!\d)/g, slackMs: SECOND_MS, read: (text) => [Number(text) / 1000] },
  // Milliseconds in base 36 or 16, as in generated names
  {
    pattern: /(?<![0-9a-zA-Z])[0-9a-z]{8,11}(?![0-9a-zA-Z])/g,
    slackMs: 0,
    read: (text) => [Number.parseInt(text, 36), Number.parseInt(text, 16)],
  },
];

/** The stretches of `text` that name a moment within one of `periods`. */
export function momentsIn(text: string, periods: readonly Period[]): readonly Span[] {
  const found: Span[] = [];
  for (const { pattern, slackMs, read } of READERS) {
    for (const match of text.matchAll(pattern)) {
      if (read(match[0]).some((moment) => within(moment, periods, slackMs))) found.push(spanOf(match));
    }
  }
  for (const match of text.matchAll(/(?<!\d)\d{4}(?!\d)/g)) {
    if (periods.some((period) => isYearOf(Number(match[0]), period))) found.push(spanOf(match));
  }
  for (const match of text.matchAll(/(?<![\d:])\d\d:\d\d(?::\d\d)?(?![\d:])/g)) {
    if (periods.some((period) => isTimeOfDay(match[0], period))) found.push(spanOf(match));
  }
  return found;
}

function within(moment: number, periods: readonly Period[], slackMs: number): boolean {
  return periods.some(({ from, to }) => moment >= from - slackMs && moment <= to + slackMs);
}

function isYearOf(year: number, { from, to }: Period): boolean {
  const first = new Date(from - LOCAL_SLACK_MS).getUTCFullYear();
  return year >= first && year <= new Date(to + LOCAL_SLACK_MS).getUTCFullYear();
}

/** Whether `text`, such as 10:15 or 10:15:30, is the time of day within the period in some zone of whole or half hours. */
function isTimeOfDay(text: string, { from, to }: Period): boolean {
  const [hours = 0, minutes = 0, seconds = 0] = text.split(':').map(Number);
  const half = 1_800 * SECOND_MS;
  const moment = (((hours * 60 + minutes) * 60 + seconds) * SECOND_MS) % half;
  const start = (from - 60 * SECOND_MS) % half;
  return (((moment - start) % half) + half) % half <= to - from + 120 * SECOND_MS;
}

function parsed(text: string): readonly number[] {
  return [Date.parse(text)];
}

function dayAndMonth(text: string): readonly number[] {
  const [a = 0, b = 0, year = 0] = text.split(/[./, ]/).map(Number);
  return [Date.UTC(year, b - 1, a), Date.UTC(year, a - 1, b)];
}

function packed(text: string): readonly number[] {
  const [year = 0, month = 0, day = 0] = [text.slice(0, 4), text.slice(4, 6), text.slice(6, 8)].map(Number);
  return month >= 1 && month <= 12 && day >= 1 && day <= 31 ? [Date.UTC(year, month - 1, day)] : [];
}

/** The stretch that a match covers. */
export function spanOf(match: RegExpExecArray): Span {
  return { start: match.index, end: match.index + match[0].length };
}
