/**
 * `npm run push -- VERSION WHAT`: pushes the firmware of this checkout to the chain that `npm start` keeps up, as a commit would be.
 *
 * - Prints how the release is approved with two keys, and published: the rest is the reader's.
 */
import { request } from 'node:http';
import { join, relative } from 'node:path';
import { text } from 'node:stream/consumers';
import { encodeUtf8 } from '../formats/bytes.ts';
import { isJsonObject, parseJson, type JsonObject } from '../formats/json.ts';
import { PROJECT, textOf } from './child.ts';
import { pushSocket } from './push-desk.ts';

const RUNS = join(PROJECT, '.run');
const ANSWER_BYTES_MAX = 65_536;

const [release = '', ...words] = process.argv.slice(2);
if (!/^\d+\.\d+\.\d+$/.test(release) || words.length === 0) {
  process.stderr.write('usage: npm run push -- VERSION WHAT, as in: npm run push -- 5.0.0 "says hello"\n');
  process.exitCode = 64;
} else {
  const answered = await push({ release, what: words.join(' ') });
  if (answered === undefined) {
    process.stderr.write('firmament: there is no chain to push to: run npm start, and leave it running\n');
    process.exitCode = 69;
  } else if (answered.status === 200) process.stdout.write(nextSteps(release, answered.body));
  else {
    process.stderr.write(`firmament: ${release} was not taken: ${textOf(answered.body, 'detail')}\n`);
    process.exitCode = 1;
  }
}

/** The answer of the chain, or undefined if none runs. */
function push(pushed: object): Promise<{ readonly status: number; readonly body: JsonObject } | undefined> {
  return new Promise((resolve) => {
    const posted = request(
      { socketPath: relative(process.cwd(), pushSocket(RUNS)), path: '/', method: 'POST' },
      (response) => {
        void text(response).then((body) => {
          const answer = parseJson(encodeUtf8(body), { bytesMax: ANSWER_BYTES_MAX });
          const said = answer.ok && isJsonObject(answer.value) ? answer.value : new Map([['detail', body]]);
          resolve({ status: response.statusCode ?? 0, body: said });
        });
      },
    );
    posted.on('error', () => resolve(undefined));
    posted.end(JSON.stringify(pushed));
  });
}

function nextSteps(version: string, drafted: JsonObject): string {
  const event = shown(textOf(drafted, 'event'));
  const signs = ['dee', 'eli'].map((name) => `  ${signCommand(event, name)}`);
  const images = drafted.get('images');
  const files = Array.isArray(images) ? images.map((image) => shown(String(image))).join(' ') : '';
  return [
    `${version} is built twice, proposed and judged. Its image: ${textOf(drafted, 'sha256')}`,
    'Now read what it changes and sign it, as two managers:',
    ...signs,
    'Then publish it, and watch the device take it:',
    `  node cli/firmament.js publish --signer .run/now/signer.sock --event ${event} --file ${files}`,
    '',
  ].join('\n');
}

function signCommand(event: string, name: string): string {
  const key = `.run/now/people/${name}`;
  const trust = '--root-one .run/now/desk/1.root.json --policy policies/release.cedar';
  return `node cli/firmament.js sign --event ${event} ${trust} --key ${key}/key.age --passphrase-file ${key}/passphrase`;
}

/** A file of the run, as seen from the checkout through the link to the newest run. */
function shown(path: string): string {
  return relative(PROJECT, path).replace(/^\.run\/[^/]+\//, '.run/now/');
}
