/** Values of options, checked where they enter: what does not fit is misuse and shows the usage. */
import { InvalidArgumentError } from 'commander';
import { PRODUCT_ADDRESS_EXPECTED, productAddress } from '../bootloader-verifier/agent/repository-client-http.ts';
import type { MetricsPlace } from '../signer/daemon/serve-metrics-http.ts';
import { parseInstant, type Instant } from '../formats/instant.ts';
import { firmwareVersionDecoder, nameDecoder } from '../formats/names.ts';
import { uriDecoder } from '../formats/provenance.ts';

const HOURS_MAX = 168;
const PORT_MAX = 65_535;
const DAY_MS = 86_400_000;

/** A name of ours: lower-case letters, digits and dashes. */
export function nameValue(value: string): string {
  const name = nameDecoder(value);
  if (!name.ok) throw new InvalidArgumentError('lower-case letters, digits and dashes are expected');
  return name.value;
}

/** A whole number of at least 0. */
export function countValue(value: string): number {
  const count = /^(0|[1-9]\d{0,15})$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(count)) throw new InvalidArgumentError('a whole number is expected');
  return count;
}

/** A moment as it is written on the wire. */
export function instantValue(value: string): Instant {
  const instant = parseInstant(value);
  if (instant === undefined) throw new InvalidArgumentError('a moment like 2030-01-31T00:00:00Z is expected');
  return instant;
}

/** Of whoever signs with online keys. */
export const CLOCK_IS = [
  '--clock-is <instant>',
  'what time it is by another clock, like 2030-01-31T00:00:00Z: believed for an hour where clock and memory differ',
] as const;

/** A version for people, as SemVer writes it. */
export function firmwareVersionValue(value: string): string {
  const version = firmwareVersionDecoder(value);
  if (!version.ok) throw new InvalidArgumentError('a version like 1.2.3 is expected');
  return version.value;
}

/** A URI that names a builder or a source. */
export function uriValue(value: string): string {
  const uri = uriDecoder(value);
  if (!uri.ok) throw new InvalidArgumentError('a URI like https://builders.example/one is expected');
  return uri.value;
}

/** A git commit in full: 40 or 64 hex digits. */
export function commitValue(value: string): string {
  if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(value)) throw new InvalidArgumentError('a full commit hash is expected');
  return value;
}

/** The address of a product on its server. */
export function productUrlValue(value: string): URL {
  const url = productAddress(value);
  if (url === undefined) throw new InvalidArgumentError(PRODUCT_ADDRESS_EXPECTED);
  return url;
}

/** A SHA-256 in full: 64 lower-case hex digits, which people may group by spaces. */
export function digestValue(value: string): string {
  const digest = value.replaceAll(' ', '');
  if (!/^[0-9a-f]{64}$/.test(digest)) throw new InvalidArgumentError('64 hex digits are expected');
  return digest;
}

/** Whole days, as milliseconds. */
export function daysValue(value: string): number {
  return countValue(value) * DAY_MS;
}

/** Hours, from 1 to a week of them. */
export function hoursValue(value: string): number {
  const hours = countValue(value);
  if (hours < 1 || hours > HOURS_MAX) throw new InvalidArgumentError(`1 to ${HOURS_MAX} hours are expected`);
  return hours;
}

/** A time in milliseconds, at least 1. */
export function millisecondsValue(value: string): number {
  const ms = countValue(value);
  if (ms < 1) throw new InvalidArgumentError('at least one millisecond is expected');
  return ms;
}

/** Where metrics are shown: a port of the loopback, or the path of a unix socket. */
export function metricsValue(value: string): MetricsPlace {
  const [, host, port] = /^(127\.0\.0\.1|\[::1\]):(\d{1,5})$/.exec(value) ?? [];
  if (port !== undefined) return { host: host === '127.0.0.1' ? host : '::1', port: portValue(port) };
  if (value.includes('/') && !value.includes('://')) return { path: value };
  throw new InvalidArgumentError('127.0.0.1:PORT, [::1]:PORT or the path of a socket is expected');
}

/** A port; 0 lets the system choose. */
export function portValue(value: string): number {
  const port = countValue(value);
  if (port > PORT_MAX) throw new InvalidArgumentError(`a port is at most ${PORT_MAX}`);
  return port;
}
