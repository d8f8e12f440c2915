import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deviceNumber, hostDevices, wantedDevices } from './devices.ts'

const numbers: [rdev: number, major: number, minor: number][] = [
  [0x103, 1, 3],
  [0xae5, 10, 229],
  // 259:1048575, where both halves of the minor number are used
  [0xfff103ff, 259, 1_048_575],
]

for (const [rdev, major, minor] of numbers) {
  test(`0x${rdev.toString(16)} is ${major}:${minor}`, () =>
    assert.deepEqual(deviceNumber(rdev), { major, minor }))
}

test('a device is described as it is on the machine', () => {
  const [device] = wantedDevices([
    { hostPath: '/dev/null', containerPath: '/dev/nothing', permissions: 'rw' },
  ])
  assert.deepEqual(
    { ...device, fileMode: 0, uid: 0, gid: 0 },
    { path: '/dev/nothing', type: 'c', major: 1, minor: 3, fileMode: 0, uid: 0, gid: 0, access: 'rw' },
  )
})

test('what is no device is refused', () => {
  const refused = (hostPath: string) => () =>
    wantedDevices([{ hostPath, containerPath: '/dev/x', permissions: 'r' }])
  assert.throws(refused('/etc/passwd'), /\/etc\/passwd is not a device node/)
  assert.throws(refused('/dev/there-is-none'), /no such file or directory/)
})

test('terminals and shared memory are not among the machine’s devices', () => {
  const paths = hostDevices().map(({ path }) => path)
  assert.ok(paths.includes('/dev/null'))
  assert.ok(!paths.some(path => /^\/dev\/(pts|shm|mqueue)\//.test(path)))
})
