/**
 * A moment in time: milliseconds since 1970-01-01T00:00:00Z, always passed in, never read from a clock here.
 *
 * - On the wire it is `YYYY-MM-DDTHH:MM:SSZ` and nothing else (TUF specification 1.0.34, section 4.2.2).
 * - A date that does not exist is refused: an expiry that fails to parse must never mean "does not expire".
 */
import { text, refine, shape, type Decoder } from './decode.ts';
import { accept } from './verdict.ts';

export type Instant = number;

const WIRE_FORM = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;

/** The moment that `text` names, or undefined unless it is a real date in the wire form. */
export function parseInstant(text: string): Instant | undefined {
  if (!WIRE_FORM.test(text)) return undefined;
  const instant = Date.parse(text);
  return Number.isFinite(instant) && encodeInstant(instant) === text ? instant : undefined;
}

/**
 * The wire form of `instant`; parts of a second are cut off.
 * @throws RangeError if the year has no four digits: no such moment comes from a parser, and it must never become an expiry.
 */
export function encodeInstant(instant: Instant): string {
  const text = `${new Date(instant).toISOString().slice(0, 19)}Z`;
  if (!WIRE_FORM.test(text)) throw new RangeError(`no moment of the years 0 to 9999: ${instant}`);
  return text;
}

/** Decodes the wire form. */
export const instantDecoder: Decoder<Instant> = refine(text(20), (wire) => {
  const instant = parseInstant(wire);
  return instant === undefined ? shape('a date like 2030-01-31T00:00:00Z is expected') : accept(instant);
});
