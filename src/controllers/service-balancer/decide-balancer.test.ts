import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Service } from '../../api/types/core-v1.ts'
import { service } from '../endpoint-slice/slices.fixture.ts'
import { type BalancerAction, decideBalancer, FINALIZER } from './decide-balancer.ts'

const balancer = (edit: (service: Service) => void = () => {}): Service => {
  const made = service({ type: 'LoadBalancer' })
  edit(made)
  return made
}
const given = (made: Service) => {
  made.metadata.finalizers = [FINALIZER]
  made.status.loadBalancer = { ingress: [{ ip: '192.0.2.2', ipMode: 'VIP' }] }
}

const cases: Record<string, [Service, ...BalancerAction[]]> = {
  'a new balancer is held and given the node’s address': [
    balancer(),
    { do: 'addFinalizer' },
    { do: 'setAddresses', ips: ['192.0.2.2'] },
  ],
  'one that has it stays': [balancer(given)],
  'another class is another’s': [
    balancer(made => {
      made.spec.loadBalancerClass = 'example.com/x'
    }),
  ],
  'other types are left alone': [service()],
  'deletion lets go': [
    balancer(made => {
      given(made)
      made.metadata.deletionTimestamp = 't'
    }),
    { do: 'setAddresses', ips: [] },
    { do: 'removeFinalizer' },
  ],
  'another type lets go': [
    balancer(made => {
      given(made)
      made.spec.type = 'ClusterIP'
      made.status.loadBalancer = {}
    }),
    { do: 'removeFinalizer' },
  ],
}

for (const [title, [made, ...expected]] of Object.entries(cases)) {
  test(`balancer: ${title}`, () => assert.deepEqual(decideBalancer(made, ['192.0.2.2']), expected))
}

test('balancer: a port that another one has is waited for', () => {
  const first = balancer(given)
  const second = balancer(made => {
    made.metadata.uid = 'second'
    made.metadata.finalizers = [FINALIZER]
  })
  const clash = { do: 'report', message: 'port 80/TCP belongs to Service default/web' } as const
  assert.deepEqual(decideBalancer(second, ['192.0.2.2'], [first, second]), [clash])
  assert.deepEqual(decideBalancer(first, ['192.0.2.2'], [first, second]), [])
  const other = balancer(made => {
    made.metadata.uid = 'other'
    made.metadata.finalizers = [FINALIZER]
    made.spec.ports = [{ port: 80, protocol: 'UDP' }]
  })
  assert.deepEqual(decideBalancer(other, ['192.0.2.2'], [first, other]), [
    { do: 'setAddresses', ips: ['192.0.2.2'] },
  ])
})
