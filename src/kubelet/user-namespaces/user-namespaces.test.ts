import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import type { Pod } from '../../api/types/core-v1.ts'
import { silentLog } from '../../base/log.ts'
import { UserNamespaces } from './user-namespaces.ts'

const K = 65_536
let rootDir: string
beforeEach(() => {
  rootDir = mkdtempSync(join(tmpdir(), 'userns-'))
})
afterEach(() => rmSync(rootDir, { recursive: true }))

const open = (isSupported = true, pods = 10) => {
  const span = { first: K, length: pods * K }
  const all = new UserNamespaces({
    rootDir,
    span,
    idsPerPod: K,
    start: 0,
    isSupported: () => isSupported,
    log: silentLog,
  })
  all.recover()
  return all
}
const pod = (uid: string, hostUsers?: boolean) =>
  ({ metadata: { uid, name: uid }, spec: { containers: [], hostUsers }, status: {} }) as unknown as Pod
const fileOf = (uid: string) => join(rootDir, 'pods', uid, 'userns')
const firstOf = (all: UserNamespaces, uid: string) => all.of(pod(uid, false)).uids![0]!.hostId

test('a pod that does not ask has the node’s', () => {
  for (const hostUsers of [undefined, true])
    assert.deepEqual(open().of(pod('a', hostUsers)), { mode: 'NODE', uids: [], gids: [] })
})

test('a pod that asks gets ids, written down in upstream’s form', () => {
  const mapping = { hostId: K, containerId: 0, length: K }
  assert.deepEqual(open().of(pod('a', false)), { mode: 'POD', uids: [mapping], gids: [mapping] })
  const written = JSON.parse(readFileSync(fileOf('a'), 'utf8'))
  assert.deepEqual(written, { uidMappings: [mapping], gidMappings: [mapping] })
})

test('the next run gives the same pod the same ids, and another pod others', () => {
  const before = open()
  const [a, b] = [firstOf(before, 'a'), firstOf(before, 'b')]
  const after = open()
  assert.deepEqual([firstOf(after, 'c'), firstOf(after, 'b'), firstOf(after, 'a')], [3 * K, b, a])
})

test('what is released may be given again', () => {
  const all = open(true, 2)
  firstOf(all, 'a')
  firstOf(all, 'b')
  assert.throws(() => firstOf(all, 'c'), /could not find an empty slot/)
  all.release('a')
  assert.equal(firstOf(all, 'c'), K)
})

test('a runtime that cannot is told in upstream’s words; who has ids already keeps them', () => {
  firstOf(open(), 'old')
  const all = open(false)
  assert.equal(firstOf(all, 'old'), K)
  assert.throws(() => firstOf(all, 'new'), {
    message: "can't set `spec.hostUsers: false`, runtime does not support user namespaces",
  })
})

test('a record that makes no sense does not keep the node from starting', () => {
  const mapping = { hostId: K, containerId: 1, length: K }
  const wrong = [
    '{',
    '{"uidMappings":[],"gidMappings":[]}',
    JSON.stringify({ uidMappings: [mapping], gidMappings: [mapping] }),
  ]
  for (const [index, text] of wrong.entries()) {
    mkdirSync(join(rootDir, 'pods', String(index)), { recursive: true })
    writeFileSync(fileOf(String(index)), text)
  }
  assert.equal(firstOf(open(), 'a'), K)
})
