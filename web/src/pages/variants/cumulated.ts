// The share of all cases that the variants up to each one cover together.
import type { Variant } from '../../client/analyses';

export function cumulated(variants: Pick<Variant, 'share'>[]): number[] {
  let sum = 0;
  return variants.map(({ share }) => {
    sum += share;
    // Shares are rounded by the service, so their sum may pass one by a hair.
    return Math.min(1, sum);
  });
}
