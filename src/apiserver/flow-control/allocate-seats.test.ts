import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allocateSeats, limitsOf, type SeatLimits, type Shares, type Wish } from './allocate-seats.ts'

const limits: [what: string, shares: Partial<Shares>, all: number, limits: SeatLimits][] = [
  [
    'workload-low of a new cluster',
    { shares: 100, lendablePercent: 90 },
    245,
    { nominal: 245, lower: 24, upper: 845 },
  ],
  ['catch-all', { shares: 5 }, 245, { nominal: 13, lower: 13, upper: 613 }],
  ['exempt', { shares: 0 }, 245, { nominal: 0, lower: 0, upper: 600 }],
  [
    'one that may borrow half',
    { shares: 10, borrowingLimitPercent: 50 },
    100,
    { nominal: 60, lower: 60, upper: 90 },
  ],
  [
    'one that may not borrow',
    { shares: 10, borrowingLimitPercent: 0 },
    100,
    { nominal: 60, lower: 60, upper: 60 },
  ],
  ['when nobody has shares', { shares: 0 }, 0, { nominal: 0, lower: 0, upper: 600 }],
]
for (const [what, shares, all, expected] of limits) {
  test(`seats of ${what}`, () => {
    const whole = { shares: 0, lendablePercent: 0, borrowingLimitPercent: undefined, ...shares }
    assert.deepEqual(limitsOf(whole, all), expected)
  })
}

const wish = (target: number, lower: number, upper: number): Wish => ({ target, lower, upper })
const cases: [what: string, sum: number, wishes: Wish[], seats: number[] | undefined][] = [
  ['nobody wants anything: all get the same part', 100, [wish(0, 0, 100), wish(0, 0, 100)], [50, 50]],
  ['in proportion to the wishes', 100, [wish(30, 0, 100), wish(10, 0, 100)], [75, 25]],
  ['a lender keeps what it may not lend', 100, [wish(20, 20, 100), wish(60, 0, 100)], [25, 75]],
  ['bounded below', 100, [wish(40, 40, 100), wish(160, 0, 100)], [40, 60]],
  ['bounded above', 100, [wish(10, 0, 30), wish(10, 0, 100)], [30, 70]],
  ['both', 100, [wish(90, 0, 20), wish(50, 50, 100), wish(50, 0, 100)], [20, 50, 30]],
  ['all at the lower bound', 30, [wish(10, 10, 50), wish(20, 20, 50)], [10, 20]],
  ['all at the upper bound', 50, [wish(1, 0, 20), wish(9, 0, 30)], [20, 30]],
  ['too little for the lower bounds', 20, [wish(10, 10, 50), wish(20, 20, 50)], undefined],
  ['too much for the upper bounds', 100, [wish(1, 0, 20), wish(9, 0, 30)], undefined],
]
for (const [what, sum, wishes, seats] of cases) {
  test(`seats are allocated: ${what}`, () => {
    const found = allocateSeats(sum, wishes)
    assert.deepEqual(
      found?.seats.map(value => Math.round(value * 1e6) / 1e6),
      seats,
    )
  })
}
