// Which devices claims get on a node.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Device, DeviceClass, ResourceClaim, ResourceSlice } from '../../api/types/resource-v1.ts'
import {
  claim,
  DRIVER,
  deviceClass,
  exactly,
  held,
  request,
  slice,
  withCel,
} from '../testing/devices.fixture.ts'
import { node } from '../testing/scheduling.fixture.ts'
import { allocatedDevices } from './allocated-devices.ts'
import { type FindResult, findDevices } from './find-devices.ts'

interface Case {
  slices: readonly ResourceSlice[]
  claims: readonly ResourceClaim[]
  classes?: readonly DeviceClass[]
  /** Claims that have devices already. */
  held?: readonly ResourceClaim[]
  nodeLabels?: Record<string, string>
  mostLooks?: number
  /** 'request=device …' of each claim, or why there are none. */
  gets: readonly string[] | string
}

function find({ slices, claims, classes = [deviceClass('gpu')], held = [], ...rest }: Case): FindResult {
  return findDevices({
    node: node('n1', { labels: rest.nodeLabels ?? {} }),
    claims,
    slices,
    allocated: allocatedDevices(held),
    classOf: name => classes.find(({ metadata }) => metadata.name === name),
    ...(rest.mostLooks && { mostLooks: rest.mostLooks }),
  })
}

const shown = ({ found, reason }: FindResult) =>
  found?.map(({ devices }) => devices.map(one => `${one.request.name}=${one.device.name}`).join(' ')) ??
  reason

const NONE = 'cannot allocate all claims'
const pool = (generation: number, resourceSliceCount: number, name = 'pool') => ({
  name,
  generation,
  resourceSliceCount,
})
const withNuma = (name: string, numa: number): Device => ({ name, attributes: { numa: { int: numa } } })
const sharedNuma = { constraints: [{ matchAttribute: `${DRIVER}/numa` }] }
const tainted = (name: string, effect: 'None' | 'NoSchedule' | 'NoExecute' = 'NoSchedule'): Device => ({
  name,
  taints: [{ key: 'broken', value: 'yes', effect }],
})
const either = (...names: [string, string][]) => ({
  name: 'any',
  firstAvailable: names.map(([name, deviceClassName]) => ({ name, ...exactly({ deviceClassName }) })),
})
const counted = (name: string, memory: string): Device => ({
  name,
  consumesCounters: [{ counterSet: 'card', counters: { memory: { value: memory } } }],
})
const card = slice('counters', [], {
  allNodes: true,
  pool: pool(1, 2),
  sharedCounters: [{ name: 'card', counters: { memory: { value: '40Gi' } } }],
})
const parts = (...devices: Device[]) => [card, slice('parts', devices, { nodeName: 'n1', pool: pool(1, 2) })]
const nic: Device = {
  name: 'nic',
  allowMultipleAllocations: true,
  capacity: { bandwidth: { value: '10G' } },
}
const bandwidth = (amount: string) => ({ capacity: { requests: { bandwidth: amount } } })
const large = deviceClass('large', {
  selectors: withCel(`device.capacity["${DRIVER}"].memory.compareTo(quantity("40Gi")) >= 0`),
})

const cases: Record<string, Case> = {
  'the first free device': { slices: [slice('s', ['a', 'b'])], claims: [claim('c')], gets: ['gpu=a'] },
  'not one that somebody has': {
    slices: [slice('s', ['a', 'b'])],
    claims: [claim('c')],
    held: [held('x', 'a')],
    gets: ['gpu=b'],
  },
  'nothing where all are taken': {
    slices: [slice('s', ['a'])],
    claims: [claim('c')],
    held: [held('x', 'a')],
    gets: NONE,
  },
  'two claims never share a device': {
    slices: [slice('s', ['a', 'b'])],
    claims: [claim('c'), claim('d')],
    gets: ['gpu=a', 'gpu=b'],
  },
  'several at once, or none': {
    slices: [slice('s', ['a', 'b'])],
    claims: [claim('c', [request('gpu', { count: 3 })])],
    gets: NONE,
  },
  'devices of another node are out of reach': {
    slices: [slice('s', ['a'], { nodeName: 'n2' })],
    claims: [claim('c')],
    gets: NONE,
  },
  'a slice for all nodes': {
    slices: [slice('s', ['a'], { allNodes: true })],
    claims: [claim('c')],
    gets: ['gpu=a'],
  },
  'a slice for nodes with a label': {
    slices: [
      slice('s', ['a'], {
        nodeSelector: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'rack', operator: 'In', values: ['r1'] }] }],
        },
      }),
    ],
    nodeLabels: { rack: 'r1' },
    claims: [claim('c')],
    gets: ['gpu=a'],
  },
  'each device says where it is': {
    slices: [
      slice(
        's',
        [
          { name: 'a', nodeName: 'n2' },
          { name: 'b', nodeName: 'n1' },
        ],
        {
          perDeviceNodeSelection: true,
        },
      ),
    ],
    claims: [claim('c')],
    gets: ['gpu=b'],
  },
  'a pool counts only when all of it is there': {
    slices: [slice('s', ['a'], { nodeName: 'n1', pool: pool(1, 2) })],
    claims: [claim('c')],
    gets: NONE,
  },
  'slices for other nodes make a pool complete': {
    slices: [
      slice('s', ['a'], { nodeName: 'n1', pool: pool(1, 2) }),
      slice('t', ['b'], { nodeName: 'n2', pool: pool(1, 2) }),
    ],
    claims: [claim('c')],
    gets: ['gpu=a'],
  },
  'the newest generation counts': {
    slices: [slice('s', ['old']), slice('t', ['new'], { nodeName: 'n1', pool: pool(2, 1) })],
    claims: [claim('c')],
    gets: ['gpu=new'],
  },
  'a newer generation elsewhere makes the old one void': {
    slices: [
      slice('s', ['old'], { nodeName: 'n1', pool: pool(1, 2) }),
      slice('t', ['new'], { nodeName: 'n2', pool: pool(2, 1) }),
    ],
    claims: [claim('c')],
    gets: NONE,
  },
  'names that occur twice make a pool invalid': {
    slices: [slice('s', ['a', 'a'])],
    claims: [claim('c')],
    gets: 'invalid resource pools were encountered',
  },
  'another pool helps out for an invalid one': {
    slices: [slice('s', ['a', 'a']), slice('t', ['b'], { nodeName: 'n1', pool: pool(1, 1, 'other') })],
    claims: [claim('c')],
    gets: ['gpu=b'],
  },
  'selectors of class and request both count': {
    slices: [
      slice('s', [
        { name: 'small', capacity: { memory: { value: '10Gi' } } },
        { name: 'old', capacity: { memory: { value: '40Gi' } }, attributes: { v: { version: '1.2.0' } } },
        { name: 'good', capacity: { memory: { value: '80Gi' } }, attributes: { v: { version: '1.10.0' } } },
      ]),
    ],
    classes: [large],
    claims: [
      claim('c', [
        request('gpu', {
          deviceClassName: 'large',
          selectors: withCel(`device.attributes["${DRIVER}"].v.isGreaterThan(semver("1.3.0"))`),
        }),
      ]),
    ],
    gets: ['gpu=good'],
  },
  'it goes back when a choice leaves nothing for the next request': {
    slices: [
      slice('s', [
        { name: 'a', attributes: { big: { bool: true } } },
        { name: 'b', attributes: { big: { bool: false } } },
      ]),
    ],
    claims: [
      claim('c', [
        request('any'),
        request('big', { selectors: withCel(`device.attributes["${DRIVER}"].big`) }),
      ]),
    ],
    gets: ['any=b big=a'],
  },
  'it goes back across claims': {
    slices: [slice('s', [withNuma('a', 0), withNuma('b', 1)])],
    claims: [
      claim('c'),
      claim('d', [request('gpu', { selectors: withCel(`device.attributes["${DRIVER}"].numa == 0`) })]),
    ],
    gets: ['gpu=b', 'gpu=a'],
  },
  'devices with the same attribute': {
    slices: [slice('s', [withNuma('a', 0), withNuma('b', 1), withNuma('c', 1)])],
    claims: [claim('c', [request('gpu', { count: 2 })], { devices: sharedNuma })],
    gets: ['gpu=b gpu=c'],
  },
  'a constraint concerns the requests that it names': {
    slices: [slice('s', [withNuma('a', 0), withNuma('b', 1), withNuma('c', 1)])],
    claims: [
      claim('c', [request('x'), request('y'), request('z')], {
        devices: { constraints: [{ requests: ['y', 'z'], matchAttribute: `${DRIVER}/numa` }] },
      }),
    ],
    gets: ['x=a y=b z=c'],
  },
  'a device without the attribute breaks the constraint': {
    slices: [slice('s', ['a', withNuma('b', 1)])],
    claims: [claim('c', [request('gpu')], { devices: sharedNuma })],
    gets: ['gpu=b'],
  },
  'devices with different attributes': {
    slices: [slice('s', [withNuma('a', 0), withNuma('b', 0), withNuma('c', 1)])],
    claims: [
      claim('c', [request('gpu', { count: 2 })], {
        devices: { constraints: [{ distinctAttribute: `${DRIVER}/numa` }] },
      }),
    ],
    gets: ['gpu=a gpu=c'],
  },
  'all of them': {
    slices: [slice('s', ['a', 'b', 'c'])],
    claims: [claim('c', [request('gpu', { allocationMode: 'All' })])],
    gets: ['gpu=a gpu=b gpu=c'],
  },
  'all of them is not met when one is taken': {
    slices: [slice('s', ['a', 'b'])],
    claims: [claim('c', [request('gpu', { allocationMode: 'All' })])],
    held: [held('x', 'b')],
    gets: NONE,
  },
  'all of none is not met': {
    slices: [slice('s', [withNuma('a', 0)])],
    claims: [
      claim('c', [
        request('gpu', {
          allocationMode: 'All',
          selectors: withCel(`device.attributes["${DRIVER}"].numa == 7`),
        }),
      ]),
    ],
    gets: NONE,
  },
  'the preferred alternative': {
    slices: [slice('s', [{ name: 'a', capacity: { memory: { value: '80Gi' } } }])],
    classes: [deviceClass('gpu'), large],
    claims: [claim('c', [either(['big', 'large'], ['small', 'gpu'])])],
    gets: ['any/big=a'],
  },
  'the next alternative when the preferred one is not there': {
    slices: [slice('s', [{ name: 'a', capacity: { memory: { value: '8Gi' } } }])],
    classes: [deviceClass('gpu'), large],
    claims: [claim('c', [either(['big', 'large'], ['small', 'gpu'])])],
    gets: ['any/small=a'],
  },
  'an alternative that fits the limit of devices': {
    slices: [
      slice(
        's',
        Array.from({ length: 40 }, (_, index) => `d${String(index).padStart(2, '0')}`),
      ),
    ],
    claims: [
      claim('c', [
        request('most', { count: 30 }),
        {
          name: 'any',
          firstAvailable: [
            { name: 'many', ...exactly({ count: 5 }) },
            { name: 'few', ...exactly({ count: 1 }) },
          ],
        },
      ]),
    ],
    gets: [
      `${Array.from({ length: 30 }, (_, index) => `most=d${String(index).padStart(2, '0')}`).join(' ')} any/few=d30`,
    ],
  },
  'administrators look at devices that others have': {
    slices: [slice('s', ['a'])],
    claims: [claim('c', [request('gpu', { adminAccess: true })])],
    held: [held('x', 'a')],
    gets: ['gpu=a'],
  },
  'administrators get a device once per claim': {
    slices: [slice('s', ['a'])],
    claims: [claim('c', [request('gpu', { adminAccess: true, count: 2 })])],
    gets: NONE,
  },
  'a tainted device is left alone': {
    slices: [slice('s', [tainted('a'), tainted('b', 'NoExecute'), tainted('c', 'None')])],
    claims: [claim('c')],
    gets: ['gpu=c'],
  },
  'a taint is tolerated': {
    slices: [slice('s', [tainted('a')])],
    claims: [
      claim('c', [request('gpu', { tolerations: [{ key: 'broken', operator: 'Equal', value: 'yes' }] })]),
    ],
    gets: ['gpu=a'],
  },
  'a toleration of another effect does not help': {
    slices: [slice('s', [tainted('a')])],
    claims: [claim('c', [request('gpu', { tolerations: [{ operator: 'Exists', effect: 'NoExecute' }] })])],
    gets: NONE,
  },
  'parts of one card as long as it lasts': {
    slices: parts(counted('a', '30Gi'), counted('b', '20Gi'), counted('c', '10Gi')),
    claims: [claim('c', [request('gpu', { count: 2 })])],
    gets: ['gpu=a gpu=c'],
  },
  'what is given out uses up the card': {
    slices: parts(counted('a', '30Gi'), counted('b', '20Gi'), counted('c', '10Gi')),
    claims: [claim('c')],
    held: [held('x', 'a')],
    gets: ['gpu=c'],
  },
  'counters that nobody knows make a pool invalid': {
    slices: [slice('s', [counted('a', '1Gi')])],
    claims: [claim('c')],
    gets: 'invalid resource pools were encountered',
  },
  'several claims share a device as long as its capacity lasts': {
    slices: [slice('s', [nic])],
    claims: [claim('c', [request('nic', bandwidth('6G'))]), claim('d', [request('nic', bandwidth('4G'))])],
    gets: ['nic=nic', 'nic=nic'],
  },
  'not more than there is': {
    slices: [slice('s', [nic])],
    claims: [claim('c', [request('nic', bandwidth('6G'))]), claim('d', [request('nic', bandwidth('5G'))])],
    gets: NONE,
  },
  'without an amount the whole is taken': {
    slices: [slice('s', [nic])],
    claims: [claim('c'), claim('d', [request('nic', bandwidth('1G'))])],
    gets: NONE,
  },
  'a capacity that the device does not have': {
    slices: [slice('s', ['a', nic])],
    claims: [claim('c', [request('nic', bandwidth('1G'))])],
    gets: ['nic=nic'],
  },
  'devices that wait for conditions come last': {
    slices: [slice('s', [{ name: 'a', bindingConditions: ['ready'] }, 'b'])],
    claims: [claim('c')],
    gets: ['gpu=b'],
  },
  'a search has its limits': {
    slices: [
      slice(
        's',
        Array.from({ length: 20 }, (_, index) => withNuma(`d${index}`, index)),
      ),
    ],
    claims: [claim('c', [request('gpu', { count: 10 })], { devices: sharedNuma })],
    mostLooks: 50,
    gets: 'timed out trying to allocate devices',
  },
}

for (const [title, given] of Object.entries(cases)) {
  test(`devices: ${title}`, () => assert.deepEqual(shown(find(given)), given.gets))
}

const faults: Record<string, { given: Omit<Case, 'gets'>; message: string }> = {
  'a class that is not there': {
    given: { slices: [], claims: [claim('c')], classes: [] },
    message:
      'claim default/c, request gpu: could not retrieve device class gpu: deviceclass.resource.k8s.io "gpu" not found',
  },
  'all devices of a pool that is being updated': {
    given: {
      slices: [slice('s', ['a'], { nodeName: 'n1', pool: pool(1, 2) })],
      claims: [claim('c', [request('gpu', { allocationMode: 'All' })])],
    },
    message:
      'claim default/c, request gpu: asks for all devices, but resource pool dra.example.com/pool is currently being updated',
  },
  'more devices than a claim can hold': {
    given: { slices: [], claims: [claim('c', [request('gpu', { count: 33 })])] },
    message: 'claim default/c: number of requested devices 33 exceeds the claim limit of 32',
  },
  'a selector that fails': {
    given: {
      slices: [slice('s', ['a'])],
      classes: [deviceClass('gpu', { selectors: withCel(`device.attributes["${DRIVER}"].numa == 1`) })],
      claims: [claim('c')],
    },
    message:
      'class gpu: selector #0 on device dra.example.com/pool/a: CEL runtime error: no such key: numa\n\nSee https://pkg.go.dev/k8s.io/api/resource/v1#CELDeviceSelector for documentation on CEL device selectors and how to handle optional fields.',
  },
  'a selector that is none': {
    given: {
      slices: [slice('s', ['a'])],
      claims: [claim('c', [request('gpu', { selectors: withCel('device.nope == 1') })])],
    },
    message: '',
  },
  'all devices with a constraint that they break': {
    given: {
      slices: [slice('s', [withNuma('a', 0), withNuma('b', 1)])],
      claims: [claim('c', [request('gpu', { allocationMode: 'All' })], { devices: sharedNuma })],
    },
    message:
      'claim default/c, request gpu: cannot add device dra.example.com/pool/b because a claim constraint would not be satisfied',
  },
}

for (const [title, { given, message }] of Object.entries(faults)) {
  test(`devices: ${title} is an error`, () => {
    assert.throws(
      () => find({ ...given, gets: [] }),
      (error: Error) =>
        message === ''
          ? error.message.startsWith(
              'claim default/c: selector #0: CEL compile error: compilation failed: ERROR',
            )
          : error.message === message,
    )
  })
}
