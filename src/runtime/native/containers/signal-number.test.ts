import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signalNumber } from './signal-number.ts'

const numbers: [string, number][] = [
  ['SIGTERM', 15],
  ['SIGUSR1', 10],
  ['SIGCLD', 17],
  ['9', 9],
  ['SIGRTMIN', 34],
  ['SIGRTMIN+3', 37],
  ['SIGRTMINPLUS15', 49],
  ['SIGRTMAX', 64],
  ['SIGRTMAXMINUS2', 62],
  ['SIGRTMAX-14', 50],
]

for (const [name, number] of numbers) {
  test(`${name} is signal ${number}`, () => assert.equal(signalNumber(name), number))
}

test('a name that no signal has is refused', () => assert.throws(() => signalNumber('SIGNOPE'), /SIGNOPE/))
