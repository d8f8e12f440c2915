import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type ResolvedUser, resolveUser } from './user.ts'

let layers: string[]

before(() => {
  const root = mkdtempSync(join(tmpdir(), 'kubernode-users-'))
  layers = ['upper', 'lower'].map(name => join(root, name))
  for (const layer of layers) mkdirSync(join(layer, 'etc'), { recursive: true })
  const [upper, lower] = layers as [string, string]
  writeFileSync(join(upper, 'etc/group'), 'app:x:2000:\nextra:x:3000:app,other\nmore:x:3001:app\n')
  writeFileSync(join(lower, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\napp:x:1000:2000::/home/app:/bin/sh\n')
  writeFileSync(join(lower, 'etc/group'), 'hidden:x:9:app\n')
})
after(() => rmSync(join(layers[0]!, '..'), { recursive: true }))

const cases: [title: string, spec: string, expected: ResolvedUser][] = [
  ['nothing is root', '', { uid: 0, gid: 0, groups: [], home: '/root' }],
  [
    'a name is looked up, its groups in the topmost file',
    'app',
    { uid: 1000, gid: 2000, groups: [3000, 3001], home: '/home/app' },
  ],
  ['so is a number', '1000', { uid: 1000, gid: 2000, groups: [3000, 3001], home: '/home/app' }],
  ['an unknown number has group 0', '7777', { uid: 7777, gid: 0, groups: [], home: '/' }],
  ['a group by name', 'app:extra', { uid: 1000, gid: 3000, groups: [3000, 3001], home: '/home/app' }],
  ['a group by number', '7777:88', { uid: 7777, gid: 88, groups: [], home: '/' }],
]

for (const [title, spec, expected] of cases)
  test(title, () => assert.deepEqual(resolveUser(spec, layers), expected))

test('a name that the image does not know is refused', () => {
  assert.throws(
    () => resolveUser('nobody-here', layers),
    /unable to find user nobody-here: no matching entries in passwd file/,
  )
  assert.throws(() => resolveUser('app:nogroup-here', layers), /unable to find group nogroup-here/)
})

test('a link in place of the file does not lead out of the image', () => {
  const layer = mkdtempSync(join(tmpdir(), 'kubernode-link-'))
  mkdirSync(join(layer, 'etc'))
  symlinkSync('/etc/passwd', join(layer, 'etc/passwd'))
  try {
    assert.throws(() => resolveUser('root', [layer]), /unable to find user root/)
  } finally {
    rmSync(layer, { recursive: true })
  }
})
