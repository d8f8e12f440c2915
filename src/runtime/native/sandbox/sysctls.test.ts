import assert from 'node:assert/strict'
import { test } from 'node:test'
import { containerSysctls, setSysctls, sysctlFile, sysctlOwner } from './sysctls.ts'

const owners: [name: string, owner: string | undefined][] = [
  ['net.ipv4.tcp_syncookies', 'net'],
  ['kernel.shm_rmid_forced', 'ipc'],
  ['kernel.msgmax', 'ipc'],
  ['kernel.sem', 'ipc'],
  ['fs.mqueue.msg_max', 'ipc'],
  ['kernel.domainname', 'uts'],
  ['vm.swappiness', undefined],
  ['kernel.semi', undefined],
]
for (const [name, owner] of owners) {
  test(`${name} belongs to ${owner ?? 'the machine'}`, () => assert.equal(sysctlOwner(name), owner))
}

test('a slash first means that dots are part of names', () => {
  assert.equal(sysctlFile('net.ipv4.ip_forward'), '/proc/sys/net/ipv4/ip_forward')
  assert.equal(sysctlFile('net/ipv4/conf/eth0.1/forwarding'), '/proc/sys/net/ipv4/conf/eth0.1/forwarding')
  assert.equal(sysctlFile('net.ipv4.conf.eth0/1.forwarding'), '/proc/sys/net/ipv4/conf/eth0.1/forwarding')
})

test('only the machine’s own are left to the OCI runtime', () => {
  assert.deepEqual(containerSysctls({ 'net.x': '1', 'kernel/sem': '2', 'vm.x': '3' }), { 'vm.x': '3' })
})

test('without a namespace of its own a pod sets nothing in it', () => {
  assert.throws(
    () => setSysctls({ 'net.ipv4.ip_forward': '1' }, () => false),
    /has no net namespace of its own/,
  )
})
