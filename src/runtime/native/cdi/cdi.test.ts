import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { OciSpec } from '../containers/oci-spec.ts'
import { withEdits } from './apply-edits.ts'
import { editsFor } from './find-devices.ts'

const spec = (kind: string, devices: Record<string, string>, more: object = {}) => ({
  cdiVersion: '1.0.0',
  kind,
  devices: Object.entries(devices).map(([name, value]) => ({
    name,
    containerEdits: { env: [`D_${name}=${value}`] },
  })),
  ...more,
})

/** Folders of spec files; the later one hides the earlier. */
const files: [first: Record<string, string>, second: Record<string, string>] = [
  {
    'a.json': JSON.stringify(
      spec('acme.com/gpu', { one: '1', two: '2' }, { containerEdits: { env: ['ALL=yes'] } }),
    ),
    'b.yaml':
      'cdiVersion: 0.6.0\nkind: acme.com/net\ndevices:\n- name: eth0\n  containerEdits:\n    env: [NET=eth0]\n',
    'broken.json': '{',
    'unnamed.json': JSON.stringify(spec('nokind', { one: '1' })),
    'twice.json': JSON.stringify(spec('acme.com/twin', { one: '1' })),
    'twice-more.json': JSON.stringify(spec('acme.com/twin', { one: '1' })),
    'readme.txt': 'not a spec',
  },
  { 'a.json': JSON.stringify(spec('acme.com/gpu', { two: 'newer' })) },
]

function withFolders<T>(act: (folders: string[]) => T): T {
  const dir = mkdtempSync(join(tmpdir(), 'cdi-test-'))
  try {
    const folders = files.map((contents, index) => {
      const folder = join(dir, String(index))
      mkdirSync(folder)
      for (const [name, text] of Object.entries(contents)) writeFileSync(join(folder, name), text)
      return folder
    })
    return act([...folders, join(dir, 'missing')])
  } finally {
    rmSync(dir, { recursive: true })
  }
}

test('devices are found by their full name; what a spec says of all its devices comes first, once', () => {
  withFolders(folders => {
    const edits = editsFor(['acme.com/gpu=one', 'acme.com/net=eth0', 'acme.com/gpu=one'], folders)
    assert.deepEqual(edits, [
      { env: ['ALL=yes'] },
      { env: ['D_one=1'] },
      { env: ['NET=eth0'] },
      { env: ['D_one=1'] },
    ])
  })
})

test('a later folder hides an earlier one', () => {
  withFolders(folders => {
    assert.deepEqual(editsFor(['acme.com/gpu=two'], folders), [{ env: ['D_two=newer'] }])
  })
})

const unknown: Record<string, string[]> = {
  'a device of no spec': ['acme.com/gpu=three', 'other.com/x=y'],
  'a device that two specs of a folder claim': ['acme.com/twin=one'],
  'a device of a spec that is none': ['nokind=one'],
}

for (const [what, names] of Object.entries(unknown)) {
  test(`${what} is unresolvable`, () => {
    withFolders(folders => {
      const message = `CDI device injection failed: unresolvable CDI devices ${names.join(', ')}`
      assert.throws(() => editsFor(['acme.com/gpu=one', ...names], folders), { message })
    })
  })
}

const base = {
  process: { args: ['sh'], env: ['PATH=/bin', 'MODE=old'], user: { uid: 1000, gid: 0, additionalGids: [5] } },
  mounts: [{ destination: '/lib/x', type: 'bind', source: '/old', options: [] }],
  linux: { devices: [{ path: '/dev/old' }], resources: { devices: [{ allow: false, access: 'rwm' }] } },
} as unknown as OciSpec

const character = {
  rdev: (10 << 8) | 200,
  isBlockDevice: () => false,
  isCharacterDevice: () => true,
  isFIFO: () => false,
}

test('edits change the environment, devices, mounts, groups and hooks of a container', () => {
  const hook = { hookName: 'createContainer', path: '/usr/bin/hook', args: ['hook', 'now'] }
  const edited = withEdits(
    base,
    [
      {
        env: ['MODE=new', 'DEVICE=1'],
        deviceNodes: [{ path: '/dev/x', hostPath: '/dev/net/tun', permissions: 'rw' }],
        mounts: [{ hostPath: '/new', containerPath: '/lib/x', options: ['ro', 'bind'] }],
        additionalGids: [44, 5],
        hooks: [hook],
      },
      { deviceNodes: [{ path: '/dev/y', type: 'b', major: 7, minor: 1, uid: 0, fileMode: 0o660 }] },
    ],
    path => (path === '/dev/net/tun' ? character : undefined),
  )
  assert.deepEqual(edited, {
    process: {
      args: ['sh'],
      env: ['PATH=/bin', 'MODE=new', 'DEVICE=1'],
      user: { uid: 1000, gid: 0, additionalGids: [5, 44] },
    },
    mounts: [{ source: '/new', destination: '/lib/x', type: 'bind', options: ['ro', 'bind'] }],
    linux: {
      devices: [
        { path: '/dev/old' },
        { path: '/dev/x', type: 'c', major: 10, minor: 200, uid: 1000 },
        { path: '/dev/y', type: 'b', major: 7, minor: 1, uid: 0, fileMode: 0o660 },
      ],
      resources: {
        devices: [
          { allow: false, access: 'rwm' },
          { allow: true, type: 'c', major: 10, minor: 200, access: 'rw' },
          { allow: true, type: 'b', major: 7, minor: 1, access: 'rwm' },
        ],
      },
    },
    hooks: { createContainer: [{ path: '/usr/bin/hook', args: ['hook', 'now'] }] },
  })
})

test('a device node that the machine does not have is said by name', () => {
  const edits = [{ deviceNodes: [{ path: '/dev/missing' }] }]
  assert.throws(() => withEdits(base, edits, () => undefined), /CDI host device "\/dev\/missing"/)
})
