/**
 * The surroundings of the two runs: what differs between them, and the environment that shows it to a build.
 *
 * - Nothing is the same in both: folder and its length, clock, time zone, locale, user, host, umask, times and order of files.
 * - A build sees only the variables made here and those that the caller lists by name; nothing of the caller's leaks in.
 * - Chosen to be far apart: the zones never share a date, the clocks differ by more than a year and in the time of day.
 * - After the variations of the Reproducible Builds project's `reprotest`, as far as a process without privileges can make them.
 */
import assert from 'node:assert';
import { delimiter, dirname, join } from 'node:path';
import type { Surroundings } from '../../formats/build-run.ts';

const SHIFT_SECONDS = 400 * 86_400 + 7 * 3_600 + 13 * 60 + 11;

/** The first run: the true time, on the side of the date line where it is latest. */
export const FIRST_SURROUNDINGS: Surroundings = {
  folder: 'first/gamma',
  clockShiftSeconds: 0,
  timeZone: 'Pacific/Kiritimati',
  locale: 'en_US.UTF-8',
  user: 'firstbuilder',
  host: 'alpha-build-host',
  umask: '0022',
  fileTimes: Date.UTC(2001, 1, 3, 4, 5, 6),
  fileOrder: 'as listed',
};

/** The second run: a deeper folder, a year and a month later, on the other side of the date line. */
export const SECOND_SURROUNDINGS: Surroundings = {
  folder: 'the-second-run/much/deeper/than-the-other/delta',
  clockShiftSeconds: SHIFT_SECONDS,
  timeZone: 'Pacific/Niue',
  locale: 'fr_CH.UTF-8',
  user: 'seconduser2',
  host: 'beta-machine.invalid',
  umask: '0007',
  fileTimes: Date.UTC(2019, 10, 12, 13, 14, 15),
  fileOrder: 'reversed',
};

/** The caller's variables without which no program is found or started; `PATH` stands after the folder of our own Node. */
const PLATFORM_VARIABLES = ['SystemRoot', 'SystemDrive', 'ComSpec', 'PATHEXT'];

/** Where a run may write beside its source. */
export type RunPlaces = { readonly home: string; readonly temporary: string };

/**
 * The whole environment of a run.
 * @param places its home and temporary folder, absolute.
 * @param env.own the caller's environment, of which only the platform's variables are taken.
 * @param env.allowed further variables, with their values, the same in both runs.
 */
export function environmentOf(
  surroundings: Surroundings,
  places: RunPlaces,
  env: { readonly own: Readonly<Record<string, string | undefined>>; readonly allowed: ReadonlyMap<string, string> },
): Record<string, string> {
  const preload = new URL('./surroundings.js', import.meta.url);
  const { clockShiftSeconds, user, host, umask, fileOrder } = surroundings;
  preload.search = new URLSearchParams({
    clockShiftSeconds: String(clockShiftSeconds),
    user,
    host,
    umask,
    fileOrder,
  }).toString();
  const platform = PLATFORM_VARIABLES.flatMap((name) => {
    const value = env.own[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const shown: Record<string, string> = {
    ...Object.fromEntries(platform),
    ...Object.fromEntries(env.allowed),
    PATH: [dirname(process.execPath), env.own['PATH'] ?? ''].join(delimiter),
    NODE_OPTIONS: `--import=${preload.href}`,
    TZ: surroundings.timeZone,
    LANG: surroundings.locale,
    LC_ALL: surroundings.locale,
    USER: user,
    LOGNAME: user,
    USERNAME: user,
    HOSTNAME: host,
    HOME: places.home,
    USERPROFILE: places.home,
    TMPDIR: places.temporary,
    TEMP: places.temporary,
    TMP: places.temporary,
  };
  for (const [name, value] of env.allowed)
    assert(shown[name] === value, `${name} is what the runs vary, or the platform's`);
  return shown;
}

/** Home and temporary folder of a run below its root; the home is named after the user. */
export function placesOf(root: string, surroundings: Surroundings): RunPlaces {
  return { home: join(root, `home-${surroundings.user}`), temporary: join(root, 'temporary') };
}
