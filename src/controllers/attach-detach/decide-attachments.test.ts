import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node, PersistentVolume, Pod } from '../../api/types/core-v1.ts'
import type { VolumeAttachment } from '../../api/types/storage-v1.ts'
import { attachmentName, MANAGED_ATTACH } from '../../api/volume/csi-names.ts'
import {
  ATTACH_TIMEOUT_MS,
  type AttachmentAction,
  decideAttachments,
  FORCE_DETACH_MS,
  type ObservedVolume,
  takenText,
} from './decide-attachments.ts'

const NOW = 1_000_000

const node = (name: string, ready = true, more: object = {}) =>
  ({
    metadata: { name, annotations: { [MANAGED_ATTACH]: 'true' } },
    spec: {},
    status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'Unknown' }] },
    ...more,
  }) as unknown as Node
const nodes: Record<string, Node> = {
  a: node('a'),
  b: node('b'),
  down: node('down', false),
  fenced: node('fenced', false, { spec: { taints: [{ key: 'node.kubernetes.io/out-of-service' }] } }),
  alone: node('alone', true, { metadata: { name: 'alone' } }),
}
const volume = (...accessModes: string[]) =>
  ({
    metadata: { name: 'pv' },
    spec: { accessModes, csi: { driver: 'd.io', volumeHandle: 'h' } },
  }) as unknown as PersistentVolume
const nameAt = (nodeName: string) => attachmentName('h', 'd.io', nodeName)
const attachment = (nodeName: string, status: object = { attached: true }, metadata: object = {}) =>
  ({
    metadata: { name: nameAt(nodeName), ...metadata },
    spec: { attacher: 'd.io', nodeName, source: { persistentVolumeName: 'pv' } },
    status,
  }) as unknown as VolumeAttachment
const pod = (name: string, namespace = 'default') => ({ metadata: { name, namespace } }) as Pod

type Case = Partial<Omit<ObservedVolume, 'users'>> & {
  users?: Record<string, Pod[]>
  inUse?: string[]
  expected: AttachmentAction[]
}

const atA = attachment('a')
const atDown = attachment('down')
const atFenced = attachment('fenced')
const being = attachment('a', { attached: true }, { deletionTimestamp: 'now' })
const pending = attachment('a', { attached: false })
const foreign = attachment('a', { attached: true }, { name: 'made-by-hand' })

const cases: Record<string, Case> = {
  'a volume that a Pod on a node uses is attached there': {
    users: { a: [pod('p')] },
    expected: [{ do: 'attach', nodeName: 'a' }],
  },
  'one that is attached where it is used stays as it is': {
    users: { a: [pod('p')] },
    attachments: [atA],
    expected: [],
  },
  'a driver that needs no attaching gets none': {
    users: { a: [pod('p')] },
    isAttachable: false,
    expected: [],
  },
  'nothing is done for a node that attaches for itself': { users: { alone: [pod('p')] }, expected: [] },
  'what nobody uses any more is detached': {
    attachments: [atA],
    expected: [{ do: 'detach', attachment: atA, forced: false }],
  },
  'what is being detached is not detached twice': { attachments: [being], expected: [] },
  'one that is being detached is not attached before it is gone': {
    users: { a: [pod('p')] },
    attachments: [being],
    expected: [],
  },
  'a healthy node may hold on to it as long as it likes': {
    attachments: [atA],
    inUse: ['a'],
    unneededSince: new Map([[nameAt('a'), 0]]),
    expected: [],
  },
  'a node that is not well gets six minutes': {
    attachments: [atDown],
    inUse: ['down'],
    unneededSince: new Map([[nameAt('down'), NOW - 1_000]]),
    expected: [{ do: 'checkAgain', at: NOW - 1_000 + FORCE_DETACH_MS + 1 }],
  },
  'after six minutes it is detached by force': {
    attachments: [atDown],
    inUse: ['down'],
    unneededSince: new Map([[nameAt('down'), NOW - FORCE_DETACH_MS - 1]]),
    expected: [{ do: 'detach', attachment: atDown, forced: true }],
  },
  'a node out of service is not waited for': {
    attachments: [atFenced],
    inUse: ['fenced'],
    expected: [{ do: 'detach', attachment: atFenced, forced: true }],
  },
  'what others have attached is left alone': { attachments: [foreign], expected: [] },
  'the attachment of a volume that is gone is detached': {
    volume: undefined,
    attachments: [atA],
    expected: [{ do: 'detach', attachment: atA, forced: false }],
  },
  'a volume for one node goes to one node': {
    users: { a: [pod('p')], b: [pod('q')] },
    expected: [{ do: 'attach', nodeName: 'a' }],
  },
  'Pods on a second node are told who has it': {
    users: { a: [pod('p')], b: [pod('q')] },
    attachments: [atA],
    expected: [{ do: 'tellTaken', nodeName: 'b', by: [pod('p')] }],
  },
  'it moves only when it is detached': {
    users: { b: [pod('q')] },
    attachments: [atA],
    inUse: ['a'],
    expected: [{ do: 'tellTaken', nodeName: 'b', by: [] }],
  },
  'a volume for many nodes goes to each': {
    volume: volume('ReadWriteMany'),
    users: { a: [pod('p')], b: [pod('q')] },
    attachments: [atA],
    expected: [{ do: 'attach', nodeName: 'b' }],
  },
  'one that says nothing of access is for all': {
    volume: volume(),
    users: { a: [pod('p')], b: [pod('q')] },
    expected: [
      { do: 'attach', nodeName: 'a' },
      { do: 'attach', nodeName: 'b' },
    ],
  },
  'who is waited for gets two minutes': {
    users: { a: [pod('p')] },
    attachments: [pending],
    waitingSince: new Map([[nameAt('a'), NOW - 1]]),
    expected: [{ do: 'checkAgain', at: NOW - 1 + ATTACH_TIMEOUT_MS }],
  },
  'then Pods are told': {
    users: { a: [pod('p')] },
    attachments: [pending],
    waitingSince: new Map([[nameAt('a'), NOW - ATTACH_TIMEOUT_MS]]),
    expected: [{ do: 'tellTimeout', attachment: pending }],
  },
}

for (const [title, { expected, users = {}, inUse = [], ...given }] of Object.entries(cases)) {
  test(title, () => {
    const observed: ObservedVolume = {
      volume: volume('ReadWriteOnce'),
      attachments: [],
      isAttachable: true,
      findNode: name => nodes[name],
      unneededSince: new Map(),
      waitingSince: new Map(),
      ...given,
      users: new Map(Object.entries(users)),
      isInUse: name => inUse.includes(name),
    }
    assert.deepEqual(decideAttachments(observed, NOW), expected)
  })
}

test('Pods of other namespaces are counted, not named', () => {
  const prefix = 'Multi-Attach error for volume "pv" '
  const texts: [Pod[], string][] = [
    [[], "Volume is already exclusively attached to one node and can't be attached to another"],
    [[pod('x'), pod('y')], 'Volume is already used by pod(s) x, y'],
    [[pod('x'), pod('y', 'far')], 'Volume is already used by pod(s) x and 1 pod(s) in different namespaces'],
    [[pod('y', 'far')], 'Volume is already used by 1 pod(s) in different namespaces'],
  ]
  for (const [by, text] of texts) assert.equal(takenText('pv', pod('p'), by), prefix + text)
})
