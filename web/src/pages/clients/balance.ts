// The balance of a client: admitted = stored + waiting + removed + refused + lost. It only reads what the client and the service counted.
import type { Balance } from '../../client';

/** `settled`: nothing is lost. `open`: a difference that the next report may settle. `lost`: the service calls it lost. */
export type Verdict = 'settled' | 'open' | 'lost';

export function verdict(balance: Balance): Verdict {
  if (balance.lost > 0) return 'lost';
  return balance.exact ? 'settled' : 'open';
}
