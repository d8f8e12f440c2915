import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node, Pod } from '../../api/types/core-v1.ts'
import { podOf, spec } from '../testing/pods.fixture.ts'
import { preempted } from './preemption.ts'

const CRITICAL = 2_000_000_000
const node = { status: { allocatable: { cpu: '1', memory: '1Gi', pods: '10' } } } as unknown as Node
type Amounts = Record<string, string>
const pod = (
  name: string,
  requests: Amounts,
  { limits, priority = 0 }: { limits?: Amounts; priority?: number } = {},
) =>
  podOf(
    { priority, containers: [spec('a', { resources: { requests, ...(limits && { limits }) } })] },
    { name, uid: name },
  )
const critical = (requests: Amounts) => pod('critical', requests, { priority: CRITICAL })
const guaranteed = (name: string, requests: Amounts) => pod(name, requests, { limits: requests })
const names = (pods: Pod[] | undefined) => pods?.map(({ metadata }) => metadata.name)

const cases: Record<string, [Pod, Pod[], string[] | undefined]> = {
  'a pod that is not critical takes nobody’s place': [
    pod('p', { cpu: '2' }),
    [pod('a', { cpu: '1' })],
    undefined,
  ],
  'what fits takes nobody’s place': [critical({ cpu: '500m' }), [pod('a', { cpu: '500m' })], undefined],
  'critical pods stay': [critical({ cpu: '1' }), [pod('a', { cpu: '1' }, { priority: CRITICAL })], undefined],
  'what could not make enough room stays': [critical({ cpu: '2' }), [pod('a', { cpu: '1' })], undefined],
  'the one pod that is enough goes': [
    critical({ cpu: '600m' }),
    [pod('small', { cpu: '100m' }), pod('large', { cpu: '700m' })],
    ['large'],
  ],
  'of two that are enough the smaller one goes': [
    critical({ cpu: '400m' }),
    [pod('large', { cpu: '600m', memory: '2Mi' }), pod('small', { cpu: '400m', memory: '1Mi' })],
    ['small'],
  ],
  'lesser classes go before better ones': [
    critical({ cpu: '500m' }),
    [guaranteed('good', { cpu: '500m', memory: '1Mi' }), pod('less', { cpu: '500m' })],
    ['less'],
  ],
  'a better one goes where lesser ones are not enough': [
    critical({ cpu: '900m' }),
    [guaranteed('good', { cpu: '500m', memory: '1Mi' }), pod('less', { cpu: '500m' })],
    ['less', 'good'],
  ],
  'places count too': [
    critical({}),
    Array.from({ length: 10 }, (_, index) =>
      index < 9 ? pod(`b${index}`, { cpu: '10m' }) : podOf({}, { name: 'none' }),
    ),
    ['none'],
  ],
}

for (const [title, [asking, others, expected]] of Object.entries(cases)) {
  test(title, () => assert.deepEqual(names(preempted(asking, node, others)), expected))
}
