import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { followLinks, makeMountTargets, mountTargets } from './mount-targets.ts'
import type { OciMount } from './oci-mounts.ts'

const mount = (type: string, destination: string, source = type): OciMount => ({
  type,
  destination,
  source,
  options: [],
})
const isFile = (source: string) => source.endsWith('.txt')

const cases: [string, OciMount[], string[]][] = [
  ['a file system has a folder', [mount('proc', '/proc')], ['/proc/']],
  ['a folder of the machine too', [mount('bind', '/data', '/host/data')], ['/data/']],
  ['a file has a file', [mount('bind', '/etc/hosts', '/host/hosts.txt')], ['/etc/hosts']],
  ['only a bound source is looked at', [mount('tmpfs', '/t', 'odd.txt')], ['/t/']],
  [
    'what is below another mount is not made',
    [mount('tmpfs', '/dev'), mount('devpts', '/dev/pts')],
    ['/dev/'],
  ],
  ['whichever is named first', [mount('bind', '/a/b', '/x'), mount('bind', '/a', '/y')], ['/a/']],
  [
    'a neighbour with a longer name is',
    [mount('bind', '/a', '/x'), mount('bind', '/ab', '/y')],
    ['/a/', '/ab/'],
  ],
  [
    'nothing leads out',
    [mount('bind', '/../../etc/x', '/x'), mount('bind', 'relative', '/y')],
    ['/etc/x/', '/relative/'],
  ],
  ['the root has its place', [mount('bind', '/', '/x')], []],
]

for (const [title, mounts, expected] of cases)
  test(`places of mounts: ${title}`, () => {
    const targets = mountTargets(mounts, isFile)
    assert.deepEqual(
      targets.map(({ path, isFile: file }) => (file ? path : `${path}/`)),
      expected,
    )
  })

test('files and folders are made with the folders above them', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mount-targets-'))
  makeMountTargets(
    folder,
    [
      { path: '/etc/hosts', isFile: true },
      { path: '/etc/hosts', isFile: true },
      { path: '/var/run/secrets', isFile: false },
    ],
    [],
  )
  assert.ok(statSync(join(folder, 'etc/hosts')).isFile())
  assert.ok(statSync(join(folder, 'var/run/secrets')).isDirectory())
  assert.deepEqual(readdirSync(folder).sort(), ['etc', 'var'])
  rmSync(folder, { recursive: true })
})

const links: Record<string, string> = {
  '/var/run': '/run',
  '/var/lock': '../run/lock',
  '/a': 'b',
  '/b': 'a',
  '/up': '../../../etc',
}
const paths: [string, string][] = [
  ['/data/x', '/data/x'],
  ['/var/run/secrets', '/run/secrets'],
  ['/var/lock/x', '/run/lock/x'],
  ['/up/x', '/etc/x'],
]

for (const [path, expected] of paths)
  test(`${path} leads to ${expected}`, () => {
    assert.equal(
      followLinks(path, one => links[one]),
      expected,
    )
  })

test('links in a circle come to an end', () => {
  assert.match(
    followLinks('/a/x', one => links[one]),
    /^\/[ab]\/x$/,
  )
})

test('the topmost layer says what is a link', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mount-targets-'))
  const [upper, lower, places] = ['upper', 'lower', 'places'].map(name => join(folder, name)) as [
    string,
    string,
    string,
  ]
  for (const layer of [upper, lower]) mkdirSync(join(layer, 'var'), { recursive: true })
  symlinkSync('/run', join(lower, 'var/run'))
  symlinkSync('/elsewhere', join(lower, 'var/lib'))
  mkdirSync(join(upper, 'var/lib'))
  const targets = ['/var/run/secrets', '/var/lib/data'].map(path => ({ path, isFile: false }))
  makeMountTargets(places, targets, [upper, lower])
  assert.deepEqual([readdirSync(places).sort(), readdirSync(join(places, 'var'))], [['run', 'var'], ['lib']])
  rmSync(folder, { recursive: true })
})
