/**
 * Where a repository is published, as the command line says it: a folder, or a bucket of an object store that speaks S3.
 *
 * - `s3+http://HOST[:PORT]/BUCKET` or `s3+https://…`, with `?region=NAME` where the store is not in `us-east-1`; all else without a
 *   scheme is a folder. Any other scheme is misuse: a mistyped address must not become a folder of that name.
 * - An address carries no credentials: the command line is seen by others.
 */
import { InvalidArgumentError } from 'commander';

export type BucketAddress = {
  readonly tls: boolean;
  readonly host: string;
  readonly port: number;
  readonly bucket: string;
  readonly region: string;
};
export type StoreAddress = { readonly folder: string } | { readonly bucket: BucketAddress };

const BUCKET = /^\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/?$/;
const REGION = /^[a-z0-9-]{1,64}$/;
const FORM = 's3+http://HOST:PORT/BUCKET or s3+https://HOST/BUCKET is expected';

/** The address in `value`. @throws InvalidArgumentError if it is no folder and no address of a bucket. */
export function storeValue(value: string): StoreAddress {
  if (!/^[a-z][a-z0-9+.-]+:\/\//i.test(value)) return { folder: value };
  const url = /^s3\+https?:\/\//.test(value) && URL.canParse(value.slice(3)) ? new URL(value.slice(3)) : undefined;
  if (url === undefined) throw new InvalidArgumentError(FORM);
  if (url.username !== '' || url.password !== '') throw new InvalidArgumentError('an address carries no credentials');
  const bucket = BUCKET.exec(url.pathname)?.[1];
  const region = url.searchParams.get('region') ?? 'us-east-1';
  const isAlone = [...url.searchParams.keys()].every((name) => name === 'region') && url.hash === '';
  if (bucket === undefined || !REGION.test(region) || !isAlone) throw new InvalidArgumentError(FORM);
  const tls = url.protocol === 'https:';
  const port = url.port === '' ? (tls ? 443 : 80) : Number(url.port);
  return { bucket: { tls, host: url.hostname.replace(/^\[|\]$/g, ''), port, bucket, region } };
}
