/**
 * Identities for a device without network: a nonce, a request, an answer and the word of its use, carried as files in a folder.
 *
 * - Whoever carries them (`firmament identity`) reaches the signer and the folder at once: the nonce is good for minutes (rule R23).
 * - An answer is known by the digest of the request in its name; it is a certificate, or the signer's refusal with its code.
 * - Only plain files of a bounded length are read; the device's own stand there whole or not at all, and are written once.
 */
import { join } from 'node:path';
import { equalBytes } from '../../formats/bytes.ts';
import { carriedFile, carriedNonce } from '../../formats/carried-identity.ts';
import { knownCode, type Code } from '../../formats/codes.ts';
import { decodeJson, object, text } from '../../formats/decode.ts';
import { encodeIssueRequest } from '../../formats/issue-request.ts';
import { accept, reject, type Verdict } from '../../formats/verdict.ts';
import { certificateIn } from './certificates-only.ts';
import type { IdentityClient } from './identity-client.ts';
import { withPlainFile } from './plain-file.ts';
import { receiptFolder } from './receipt-folder.ts';

const FILE_BYTES_MAX = 32_768;
const refusalDecoder = object('refused', { code: text(64), detail: text(1_024) });

/** A client of the device `deviceId` over the folder `path`; while that is not there, nobody carries. */
export function identityClientFolder(path: string, deviceId: string): IdentityClient {
  const folder = receiptFolder(path);
  const writeOnce = async (name: string, bytes: Uint8Array): Promise<void> => {
    const standing = await readPlain(join(path, name));
    if (standing === undefined || !equalBytes(standing, bytes)) await folder.write(name, bytes);
  };
  return {
    nonce: () => readPlain(join(path, carriedNonce(deviceId))),
    enrol: async (parts) => {
      const request = encodeIssueRequest(parts);
      const answer = await readPlain(join(path, carriedFile(deviceId, 'identity', request)));
      if (answer !== undefined) return readAnswer(answer);
      await writeOnce(carriedFile(deviceId, 'enrolment', request), request);
      return accept(undefined);
    },
    use: async (said) => accept(await writeOnce(carriedFile(deviceId, 'use', said), said)),
  };
}

function readAnswer(bytes: Uint8Array): Verdict<Uint8Array, Code> {
  const refusal = decodeJson(bytes, FILE_BYTES_MAX, refusalDecoder);
  const code = refusal.ok ? knownCode(refusal.value.code) : undefined;
  return refusal.ok && code !== undefined ? reject(code, refusal.value.detail) : certificateIn(bytes);
}

/** A plain file of a bounded length, or undefined where there is none. */
function readPlain(path: string): Promise<Uint8Array | undefined> {
  return withPlainFile(path, async (file) =>
    file === undefined || file.length > FILE_BYTES_MAX ? undefined : file.read(0, file.length),
  );
}
