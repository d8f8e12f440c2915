import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CpuSample, cpuRate } from './cpu-rate.ts'

const SECOND = 1e9
const sample = (seconds: number, totalSeconds: number): CpuSample => ({
  at: seconds * SECOND,
  total: totalSeconds * SECOND,
})

const cases: [title: string, samples: CpuSample[], now: CpuSample, expected: number | undefined][] = [
  ['the first reading counts from the start', [], sample(110, 5), 0.5 * SECOND],
  ['right after the start there is no rate', [], sample(100.5, 0.5), undefined],
  [
    'the youngest reading that is old enough counts',
    [sample(110, 1), sample(120, 2), sample(129, 9)],
    sample(130, 10),
    0.8 * SECOND,
  ],
  ['a reading from long ago does not', [sample(101, 0)], sample(200, 10), 0.1 * SECOND],
  ['a total that fell belongs to a former life', [sample(110, 50)], sample(120, 10), 0.5 * SECOND],
]

for (const [title, samples, now, expected] of cases) {
  test(title, () => assert.equal(cpuRate(samples, now, 100 * SECOND).rate, expected))
}

test('readings in quick succession are not all kept', () => {
  let kept: CpuSample[] = []
  for (let tenth = 0; tenth < 600; tenth++) kept = cpuRate(kept, sample(tenth / 10, 0), 1).samples
  assert.ok(kept.length <= 25, `${kept.length} readings`)
})
