import assert from 'node:assert/strict'
import test from 'node:test'
import type { NamespaceOption } from '../../cri/cri.generated.ts'
import { CRI_CODE } from '../../cri/cri-error.ts'
import { mapText, rootIds, userIdsOf } from './user-namespace.ts'

const ids = [
  { hostId: 500, containerId: 10, length: 5 },
  { hostId: 65_536, containerId: 0, length: 10 },
]
const pod = (usernsOptions: NamespaceOption['usernsOptions'], more: NamespaceOption = {}) => ({
  ...more,
  usernsOptions: usernsOptions!,
})

test('without options, and in the node’s, there are no ids', () => {
  assert.equal(userIdsOf(undefined), undefined)
  assert.equal(userIdsOf({}), undefined)
  assert.equal(userIdsOf(pod({ mode: 'NODE' })), undefined)
})

test('the ids are taken as they are told; root is who has 0', () => {
  const found = userIdsOf(pod({ mode: 'POD', uids: ids, gids: ids }))!
  assert.deepEqual(found, { uids: ids, gids: ids })
  assert.deepEqual(rootIds(found), { uid: 65_536, gid: 65_536 })
})

test('zeros, which the wire leaves out, are meant', () => {
  const short = [{ hostId: 65_536, length: 65_536 }]
  assert.equal(mapText(userIdsOf(pod({ mode: 'POD', uids: short, gids: short }))!.uids), '0 65536 65536\n')
})

const refused: [string, NamespaceOption][] = [
  ['ids in the node’s user namespace', pod({ mode: 'NODE', uids: ids, gids: ids })],
  ['no ids', pod({ mode: 'POD' })],
  ['no ids for groups', pod({ mode: 'POD', uids: ids })],
  ['no id for root', pod({ mode: 'POD', uids: [ids[0]!], gids: ids })],
  ['a mode of another kind', pod({ mode: 'TARGET', uids: ids, gids: ids })],
  ['the node’s network', pod({ mode: 'POD', uids: ids, gids: ids }, { network: 'NODE' })],
  ['the node’s processes', pod({ mode: 'POD', uids: ids, gids: ids }, { pid: 'NODE' })],
  ['the node’s shared memory', pod({ mode: 'POD', uids: ids, gids: ids }, { ipc: 'NODE' })],
]
for (const [what, options] of refused)
  test(`${what}: refused`, () => assert.throws(() => userIdsOf(options), { code: CRI_CODE.invalidArgument }))
