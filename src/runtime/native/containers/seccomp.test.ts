import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_CAPABILITIES } from './capabilities.ts'
import { defaultSeccomp } from './seccomp.ts'

const refused = (capabilities: readonly string[]) =>
  new Set(defaultSeccomp(capabilities).syscalls.flatMap(({ names, args }) => (args ? [] : names)))

const guarded: [call: string, capability: string][] = [
  ['mount', 'CAP_SYS_ADMIN'],
  ['unshare', 'CAP_SYS_ADMIN'],
  ['setns', 'CAP_SYS_ADMIN'],
  ['bpf', 'CAP_SYS_ADMIN'],
  ['open_by_handle_at', 'CAP_DAC_READ_SEARCH'],
  ['reboot', 'CAP_SYS_BOOT'],
  ['init_module', 'CAP_SYS_MODULE'],
  ['iopl', 'CAP_SYS_RAWIO'],
  ['clock_settime', 'CAP_SYS_TIME'],
  ['syslog', 'CAP_SYSLOG'],
]

for (const [call, capability] of guarded) {
  test(`${call} is refused without ${capability} and allowed with it`, () => {
    assert.ok(refused(DEFAULT_CAPABILITIES).has(call))
    assert.ok(!refused([...DEFAULT_CAPABILITIES, capability]).has(call))
  })
}

test('what no container needs is refused to all of them', () => {
  const calls = refused(['CAP_SYS_ADMIN'])
  for (const call of ['kexec_load', 'keyctl', 'userfaultfd', 'io_uring_setup', 'swapon'])
    assert.ok(calls.has(call))
})

test('clone makes processes but no namespaces; clone3 looks unknown, so that programs fall back', () => {
  const { syscalls } = defaultSeccomp([])
  const flags = syscalls.filter(({ names }) => names.includes('clone')).map(({ args }) => args![0]!.value)
  assert.deepEqual(
    flags.sort((a, b) => a - b),
    [0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000],
  )
  assert.equal(syscalls.find(({ names }) => names.includes('clone3'))?.errnoRet, 38)
})
