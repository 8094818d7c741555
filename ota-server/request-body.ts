/**
 * The body of a request, read whole and bounded: for every listener that takes small ones.
 *
 * - Who breaks off has said nothing: neither a fault of ours, nor a shorter body.
 * - Of what is longer no more than the limit is held.
 */
import type { IncomingMessage } from 'node:http';
import { concatBytes } from '../formats/bytes.ts';

/** The body, or undefined if it is longer than `bytesMax`, or does not come to its end. */
export function readBody(request: IncomingMessage, bytesMax: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  return new Promise((resolve) => {
    const giveUp = (): void => resolve(undefined);
    request.on('data', (chunk: Uint8Array) => {
      sizeBytes += chunk.length;
      if (sizeBytes > bytesMax) giveUp();
      else chunks.push(chunk);
    });
    request.on('end', () => resolve(concatBytes(...chunks)));
    request.on('error', giveUp);
    request.on('close', giveUp);
    // It may have broken off before anybody listened.
    if (request.destroyed) giveUp();
  });
}
