import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createErrors, objectOf, updateErrors } from '../test-validation.ts'

const of = (kind: string, parts: Record<string, unknown>) => objectOf('storage.k8s.io/v1', kind, '', parts)
const whole = { attachRequired: true, podInfoOnMount: false, storageCapacity: false, seLinuxMount: false }
const driver = (spec: object) => of('CSIDriver', { spec: { ...whole, ...spec } })
const onNode = (...drivers: object[]) => of('CSINode', { spec: { drivers } })
const attachment = (source: object) =>
  of('VolumeAttachment', { spec: { attacher: 'csi.example.com', nodeName: 'n', source } })
const attributes = (parts: object) => of('VolumeAttributesClass', { driverName: 'csi.example.com', ...parts })
const exactlyOne = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'
const one = { name: 'csi.example.com', nodeID: 'n', topologyKeys: null }

const cases: Record<string, [ReturnType<typeof of>, ...string[]]> = {
  'a driver is fine': [driver({})],
  'its policy is known': [
    driver({ fsGroupPolicy: 'Any' }),
    'spec.fsGroupPolicy: Unsupported value: "Any": supported values: "File", "None", "ReadWriteOnceWithFSType"',
  ],
  'tokens are for different audiences, and last': [
    driver({
      tokenRequests: [{ audience: 'a' }, { audience: 'a' }, { audience: 'b', expirationSeconds: 5 }],
    }),
    'spec.tokenRequests[1].audience: Duplicate value: "a"',
    'spec.tokenRequests[2].expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes',
  ],
  'a driver is on a node once': [
    onNode(one, one),
    'spec.drivers[1].name: Duplicate value: "csi.example.com"',
  ],
  'under a name of the node': [onNode({ ...one, nodeID: '' }), 'spec.drivers[0].nodeID: Required value'],
  'something is attached': [attachment({}), `spec.source: Required value: ${exactlyOne}`],
  'and only one thing': [
    attachment({ persistentVolumeName: 'a', inlineVolumeSpec: {} }),
    `spec.source: Forbidden: ${exactlyOne}`,
  ],
  'attributes are some': [
    attributes({}),
    'parameters: Required value: must contain at least one key/value pair',
  ],
}

for (const [title, [object, ...expected]] of Object.entries(cases)) {
  test(`csi validation: ${title}`, () => assert.deepEqual(createErrors(object), expected))
}

const updates: Record<string, [ReturnType<typeof of>, ReturnType<typeof of>, ...string[]]> = {
  'whether a driver attaches stays': [
    driver({}),
    driver({ attachRequired: false }),
    'spec.attachedRequired: Invalid value: false: field is immutable',
  ],
  'how many volumes a node takes may change': [onNode(one), onNode({ ...one, allocatable: { count: 3 } })],
  'attributes stay': [
    attributes({ parameters: { a: '1' } }),
    attributes({ parameters: { a: '2' } }),
    'parameters: Forbidden: updates to parameters are forbidden.',
  ],
}

for (const [title, [before, after, ...expected]] of Object.entries(updates)) {
  test(`csi update: ${title}`, () => assert.deepEqual(updateErrors(after, before), expected))
}
