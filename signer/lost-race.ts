/** The refusal of a publication that another one has overtaken: it is drafted, or verified, again on what is published now. */
import { reject, type Rejected } from '../formats/verdict.ts';

/** The refusal of whoever lost a race. */
export function overtaken(): Rejected<'REPOSITORY_CONFLICT'> {
  return reject('REPOSITORY_CONFLICT', 'another publisher was faster: draft again on what is published now');
}
