/**
 * Shows every Node process of a build the surroundings of its run: clock, user, host, umask, order of files.
 *
 * Plain JavaScript, preloaded by `NODE_OPTIONS=--import=...`, so that child processes and workers get it too.
 * - The query of its own address says what to show, so that nothing else has to reach the build.
 * - It changes what the build sees, never what it may do; programs other than Node see the true clock, user and host.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { isMainThread } from 'node:worker_threads';

const shown = new URL(import.meta.url).searchParams;

/** Moves `Date` and the origin of `performance` by `shiftMs`. */
function shiftClock(shiftMs) {
  const TrueDate = Date;
  const trueNow = TrueDate.now;
  const now = () => trueNow() + shiftMs;
  TrueDate.now = now;
  const ShiftedDate = new Proxy(TrueDate, {
    apply: () => new TrueDate(now()).toString(),
    construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  });
  TrueDate.prototype.constructor = ShiftedDate;
  globalThis.Date = ShiftedDate;
  Object.defineProperty(performance, 'timeOrigin', { value: performance.timeOrigin + shiftMs });
}

/** Answers `os.userInfo` and `os.hostname` with the given names. */
function nameUserAndHost(user, host) {
  const trueUserInfo = os.userInfo;
  os.userInfo = (options) => ({ ...trueUserInfo(options), username: user, homedir: os.homedir() });
  os.hostname = () => host;
}

/** Lists folders backwards: no file system promises an order. */
function reverseListings() {
  const { readdirSync, readdir } = fs;
  const trueReaddir = fs.promises.readdir;
  fs.readdirSync = (...args) => readdirSync(...args).reverse();
  fs.promises.readdir = async (...args) => (await trueReaddir(...args)).reverse();
  fs.readdir = (path, ...rest) => {
    const callback = rest.pop();
    readdir(path, ...rest, (error, names) => callback(error, names?.reverse()));
  };
}

shiftClock(Number(shown.get('clockShiftSeconds')) * 1000);
nameUserAndHost(shown.get('user'), shown.get('host'));
if (shown.get('fileOrder') === 'reversed') reverseListings();
if (isMainThread) process.umask(Number.parseInt(shown.get('umask'), 8));
syncBuiltinESMExports();
