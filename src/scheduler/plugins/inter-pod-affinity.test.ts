import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PodAffinityTerm, PodSpec } from '../../api/types/core-v1.ts'
import { node, pod, World } from '../testing/scheduling.fixture.ts'
import { interPodAffinity } from './inter-pod-affinity.ts'

const zoned = (name: string, zone?: string) => node(name, zone ? { labels: { zone } } : {})
const three = () => new World([zoned('a1', 'a'), zoned('a2', 'a'), zoned('b1', 'b')])

const term = (app: string, more: Partial<PodAffinityTerm> = {}): PodAffinityTerm => ({
  topologyKey: 'zone',
  labelSelector: { matchLabels: { app } },
  ...more,
})
const near = (...terms: PodAffinityTerm[]): Partial<PodSpec> => ({
  affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
})
const apart = (...terms: PodAffinityTerm[]): Partial<PodSpec> => ({
  affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
})
const labelled = (app: string, spec?: Partial<PodSpec>) =>
  pod(app, { labels: { app }, ...(spec && { spec }) })

test('a Pod goes where the Pods are that it wants near', () => {
  const world = three().with('a1', labelled('db'))
  assert.deepEqual(world.fitting(labelled('web', near(term('db')))), ['a1', 'a2'])
})

test('nobody to be near: nowhere, but the first of a group goes anywhere that has the label', () => {
  const world = new World([zoned('a1', 'a'), zoned('none')])
  assert.equal(
    world.place(labelled('web', near(term('db')))),
    "0/2 nodes are available: 2 node(s) didn't match pod affinity rules.",
  )
  assert.deepEqual(world.fitting(labelled('web', near(term('web')))), ['a1'])
})

test('several terms have to be met by the same Pods', () => {
  const both = {
    ...labelled('db'),
    metadata: { ...labelled('db').metadata, uid: 'both', labels: { app: 'db', tier: 'x' } },
  }
  const terms = [term('db'), { topologyKey: 'zone', labelSelector: { matchLabels: { tier: 'x' } } }]
  assert.deepEqual(
    three()
      .with('a1', labelled('db'))
      .fitting(labelled('web', near(...terms))),
    [],
  )
  assert.deepEqual(
    three()
      .with('b1', both)
      .fitting(labelled('web', near(...terms))),
    ['b1'],
  )
})

test('a Pod keeps away from those that it does not want near', () => {
  const world = three().with('a1', labelled('db'))
  assert.deepEqual(world.fitting(labelled('web', apart(term('db')))), ['b1'])
  assert.equal(
    new World([zoned('a1', 'a')]).with('a1', labelled('db')).place(labelled('web', apart(term('db')))),
    "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules.",
  )
})

test('a node without the label is in nobody’s domain', () => {
  const world = new World([zoned('none')]).with('none', labelled('db'))
  assert.deepEqual(world.fitting(labelled('web', apart(term('db')))), ['none'])
})

test('Pods that are there keep others away too', () => {
  const world = three().with('a1', labelled('db', apart(term('web'))))
  assert.deepEqual(world.fitting(labelled('web')), ['b1'])
  assert.equal(
    new World([zoned('a1', 'a')]).with('a1', labelled('db', apart(term('web')))).place(labelled('web')),
    "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules.",
  )
})

const elsewhere = (app: string) => pod(app, { namespace: 'other', labels: { app } })
const spaces: Record<string, [PodAffinityTerm, boolean]> = {
  'without namespaces only the own one counts': [term('db'), false],
  'namespaces by name': [term('db', { namespaces: ['other'] }), true],
  'namespaces by their labels': [term('db', { namespaceSelector: { matchLabels: { team: 'x' } } }), true],
  'namespaces by labels that they do not have': [
    term('db', { namespaceSelector: { matchLabels: { team: 'y' } } }),
    false,
  ],
  'every namespace': [term('db', { namespaceSelector: {} }), true],
}
for (const [what, [wanted, expected]] of Object.entries(spaces)) {
  test(what, () => {
    const world = new World([zoned('a1', 'a')], {
      namespaceLabels: name => (name === 'other' ? { team: 'x' } : undefined),
    })
    world.with('a1', elsewhere('db'))
    assert.deepEqual(world.fitting(labelled('web', near(wanted))), expected ? ['a1'] : [])
  })
}

const preferring = (weight: number, wanted: PodAffinityTerm, kind: 'podAffinity' | 'podAntiAffinity') =>
  labelled('web', {
    affinity: {
      [kind]: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight, podAffinityTerm: wanted }] },
    },
  })

test('wishes score, and so do the wishes of those that are there', () => {
  const world = three().with('a1', labelled('db'))
  assert.deepEqual(world.scores(preferring(10, term('db'), 'podAffinity'), interPodAffinity), {
    a1: 200,
    a2: 200,
    b1: 0,
  })
  assert.deepEqual(world.scores(preferring(10, term('db'), 'podAntiAffinity'), interPodAffinity), {
    a1: 0,
    a2: 0,
    b1: 200,
  })
  const liked = three().with('b1', { ...preferring(5, term('web'), 'podAffinity') })
  assert.deepEqual(liked.scores(labelled('web'), interPodAffinity), { a1: 0, a2: 0, b1: 200 })
  const needed = three().with('b1', labelled('db', near(term('web'))))
  assert.deepEqual(needed.scores(labelled('web'), interPodAffinity), { a1: 0, a2: 0, b1: 200 })
})

test('a change of the cluster is looked at only when it concerns the terms', () => {
  const wants = labelled('web', near(term('db')))
  const avoids = labelled('web', apart(term('db')))
  const helps = (what: 'podAssigned' | 'assignedPodGone', other: string, candidate = wants) =>
    interPodAffinity.mayHelp!({ what, pod: labelled(other) }, candidate)
  assert.deepEqual([helps('podAssigned', 'db'), helps('podAssigned', 'x')], [true, false])
  assert.deepEqual(
    [helps('assignedPodGone', 'db', avoids), helps('assignedPodGone', 'x', avoids)],
    [true, false],
  )
  const hater = labelled('hater', apart(term('web')))
  assert.equal(interPodAffinity.mayHelp!({ what: 'assignedPodGone', pod: hater }, labelled('web')), true)
})
