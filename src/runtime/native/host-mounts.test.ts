import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Mount, MountPropagation } from '../cri/cri.generated.ts'
import { checkPropagation, makeSources, mountOf } from './host-mounts.ts'

const TABLE = [
  '1 0 8:1 / / rw,relatime - ext4 /dev/sda rw',
  '2 1 0:30 / /shared rw shared:7 - tmpfs none rw',
  '3 1 0:31 / /slave rw master:9 - tmpfs none rw',
  '4 2 0:32 / /shared/private rw - tmpfs none rw',
].join('\n')

test('a path is on the nearest mount above it', () => {
  assert.equal(mountOf('/etc/passwd', TABLE)?.point, '/')
  assert.equal(mountOf('/shared/private/a', TABLE)?.point, '/shared/private')
  assert.equal(mountOf('/shared-not', TABLE)?.point, '/')
})

const cases: [hostPath: string, propagation: MountPropagation, refused: string | undefined][] = [
  ['/a', 'PROPAGATION_PRIVATE', undefined],
  ['/shared/a', 'PROPAGATION_BIDIRECTIONAL', undefined],
  ['/slave/a', 'PROPAGATION_HOST_TO_CONTAINER', undefined],
  [
    '/slave/a',
    'PROPAGATION_BIDIRECTIONAL',
    'path "/slave/a" is mounted on "/slave" but it is not a shared mount',
  ],
  [
    '/a',
    'PROPAGATION_HOST_TO_CONTAINER',
    'path "/a" is mounted on "/" but it is not a shared or slave mount',
  ],
]

for (const [hostPath, propagation, refused] of cases) {
  test(`${propagation} of ${hostPath}${refused ? ' is refused' : ''}`, () => {
    const check = () => checkPropagation([{ containerPath: '/c', hostPath, propagation }], () => TABLE)
    if (refused) assert.throws(check, { message: refused })
    else check()
  })
}

test('a path of the machine that is missing is made, what is there stays', () => {
  const folder = mkdtempSync(join(tmpdir(), 'host-mounts-'))
  const file = join(folder, 'file')
  writeFileSync(file, 'kept')
  const mount = (hostPath: string) => ({ containerPath: '/c', hostPath })
  makeSources([mount(join(folder, 'a/b')), mount(file), { ...mount(''), image: { image: 'one' } }] as Mount[])
  assert.ok(statSync(join(folder, 'a/b')).isDirectory())
  assert.ok(statSync(file).isFile())
  assert.throws(() => makeSources([mount(join(file, 'c'))] as Mount[]), /failed to mkdir ".*\/file\/c": /)
  rmSync(folder, { recursive: true })
})
