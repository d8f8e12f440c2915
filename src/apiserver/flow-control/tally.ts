// A histogram of plain numbers: what is counted on the way of every request must cost nothing there.
/** Counts values, or the time for which they were true, by upper bounds. */
export class Tally {
  readonly bounds: readonly number[]
  /** One for each bound, not cumulative; what is above all of them is in `count` only. */
  readonly buckets: number[]
  count = 0
  sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.buckets = bounds.map(() => 0)
  }

  add(value: number, weight = 1): void {
    this.count += weight
    this.sum += value * weight
    for (let at = 0; at < this.bounds.length; at++) {
      if (value > this.bounds[at]!) continue
      this.buckets[at]! += weight
      return
    }
  }
}
