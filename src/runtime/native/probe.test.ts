import assert from 'node:assert/strict'
import test from 'node:test'
import { PlainError } from '../../base/plain-error.ts'
import { chooseRuntime, type MachineFacts } from './probe.ts'

const machine = (lacks: string[], filesystems = 'nodev\toverlay\n'): MachineFacts => ({
  filesystems,
  find: command => (lacks.includes(command) ? undefined : `/usr/bin/${command}`),
})

test('crun is taken where it is installed, else runc', () => {
  assert.deepEqual(chooseRuntime(machine([])), { kind: 'crun', path: '/usr/bin/crun' })
  assert.deepEqual(chooseRuntime(machine(['crun'])), { kind: 'runc', path: '/usr/bin/runc' })
})

const lacking: [string, MachineFacts, RegExp][] = [
  ['crun and runc', machine(['crun', 'runc']), /needs crun .* "apt-get install crun"/],
  ['conmon', machine(['conmon']), /needs conmon .* "apt-get install conmon"/],
  ['nft', machine(['nft']), /needs nft .* "apt-get install nftables"/],
  ['overlay', machine([], 'nodev\text4\n'), /needs the overlay file system.*"modprobe overlay"/],
]

for (const [what, facts, text] of lacking) {
  test(`a machine without ${what} is told so in one sentence`, () => {
    assert.throws(
      () => chooseRuntime(facts),
      (error: unknown) =>
        error instanceof PlainError && text.test(error.message) && !error.message.includes('\n'),
    )
  })
}
