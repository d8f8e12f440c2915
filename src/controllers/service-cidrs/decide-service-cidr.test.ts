import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IPAddress, ServiceCIDR } from '../../api/types/networking-v1.ts'
import { type CidrAction, decideServiceCidr, FINALIZER } from './decide-service-cidr.ts'

interface Shape {
  cidrs?: string[]
  held?: boolean
  ready?: boolean
  deleting?: boolean
}

function cidr({ cidrs = ['10.1.0.0/24'], held, ready, deleting }: Shape = {}): ServiceCIDR {
  const condition = { type: 'Ready', status: 'True', reason: '', message: 'Kubernetes Service CIDR is ready' }
  return {
    metadata: {
      name: 'c',
      ...(held && { finalizers: [FINALIZER] }),
      ...(deleting && { deletionTimestamp: 't' }),
    },
    spec: { cidrs },
    status: { conditions: ready ? [condition] : [] },
  } as unknown as ServiceCIDR
}
const address = (name: string) => ({ metadata: { name } }) as IPAddress

const isReady: CidrAction = {
  do: 'setReady',
  status: 'True',
  reason: '',
  message: 'Kubernetes Service CIDR is ready',
}
const isTerminating: CidrAction = {
  do: 'setReady',
  status: 'False',
  reason: 'Terminating',
  message:
    'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
}

const cases: Record<string, [ServiceCIDR, ServiceCIDR[], IPAddress[], ...CidrAction[]]> = {
  'a new one is held and ready': [cidr(), [], [], { do: 'addFinalizer' }, isReady],
  'one that is both stays': [cidr({ held: true, ready: true }), [], []],
  'one that goes is let go when nobody uses it': [
    cidr({ held: true, ready: true, deleting: true }),
    [],
    [address('10.2.0.1')],
    { do: 'removeFinalizer' },
  ],
  'one that goes stays while an address is in use': [
    cidr({ held: true, ready: true, deleting: true }),
    [],
    [address('10.1.0.9')],
    isTerminating,
  ],
  'unless another one has that address, too': [
    cidr({ held: true, deleting: true }),
    [cidr({ cidrs: ['10.0.0.0/8'] })],
    [address('10.1.0.9')],
    { do: 'removeFinalizer' },
  ],
  'which must not be going itself': [
    cidr({ held: true, deleting: true }),
    [cidr({ cidrs: ['10.0.0.0/8'], deleting: true })],
    [address('10.1.0.9')],
    isTerminating,
  ],
  'families are kept apart': [
    cidr({ cidrs: ['fd00::/64'], held: true, deleting: true }),
    [],
    [address('10.1.0.9'), address('nonsense')],
    { do: 'removeFinalizer' },
  ],
}

for (const [title, [one, others, addresses, ...expected]] of Object.entries(cases)) {
  test(`ServiceCIDR: ${title}`, () => assert.deepEqual(decideServiceCidr(one, others, addresses), expected))
}
