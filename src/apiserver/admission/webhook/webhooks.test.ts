import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AdmissionReview } from '../../../api/types/admission-v1.ts'
import { SystemClock } from '../../../base/clock.ts'
import { failure, type Loose, TestRegistry } from '../../registry/test-registry.ts'
import { defaultPlugins } from '../default-plugins.ts'
import { storageLookup } from '../storage-lookup.ts'
import { startWebhook, type WebhookServer } from './webhook-server.fixture.ts'

type Answer = (request: NonNullable<AdmissionReview['request']>) => object | undefined

const MUTATING = 'admissionregistration.k8s.io/v1/mutatingwebhookconfigurations'
const VALIDATING = 'admissionregistration.k8s.io/v1/validatingwebhookconfigurations'

/** Remembers what it was asked. */
async function webhookServer(answer: Answer): Promise<WebhookServer & { asked: AdmissionReview[] }> {
  const asked: AdmissionReview[] = []
  const started = await startWebhook((review: AdmissionReview) => {
    asked.push(review)
    const response = answer(review.request!)
    return (
      response && {
        apiVersion: 'admission.k8s.io/v1',
        kind: 'AdmissionReview',
        response: { uid: review.request!.uid, ...response },
      }
    )
  })
  return { ...started, asked }
}

async function cluster(): Promise<TestRegistry> {
  const api = new TestRegistry(storage =>
    defaultPlugins({
      lookup: storageLookup(storage),
      authorizer: {
        authorize: () => ({ decision: 'allow' }),
        rulesFor: () => ({ resourceRules: [], nonResourceRules: [], incomplete: false }),
      },
      extensions: { clock: new SystemClock(), resourceOf: () => undefined },
    }),
  )
  await api.create('namespaces', { metadata: { name: 'ns', labels: { team: 'a' } } })
  return api
}

const hook = (clientConfig: object, more: object = {}) => ({
  metadata: { name: 'hooks' },
  webhooks: [
    {
      name: 'a.hooks.example.com',
      clientConfig,
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      rules: [
        { operations: ['CREATE', 'UPDATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] },
      ],
      ...more,
    },
  ],
})
const patch = (operations: object[]) => ({
  allowed: true,
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
})
const map = (name: string, more: object = {}) => ({ metadata: { name, ...more } })

function webhookTest(
  title: string,
  answer: Answer,
  run: (place: { api: TestRegistry; config: object; asked: AdmissionReview[] }) => Promise<void>,
) {
  test(title, async () => {
    const { close, config, asked } = await webhookServer(answer)
    try {
      await run({ api: await cluster(), config, asked })
    } finally {
      close()
    }
  })
}

webhookTest(
  'a webhook changes what is written, and the result is read as any body is',
  () =>
    patch([
      { op: 'add', path: '/data', value: { added: 'yes' } },
      { op: 'add', path: '/unknown', value: 1 },
    ]),
  async ({ api, config, asked }) => {
    await api.create(MUTATING, hook(config))
    const made = await api.create('configmaps', map('a'))
    assert.deepEqual([made.data, (made as { unknown?: unknown }).unknown], [{ added: 'yes' }, undefined])
    const { request } = asked[0]!
    assert.deepEqual(
      [
        request!.operation,
        request!.namespace,
        request!.name,
        request!.kind,
        request!.userInfo.username,
        request!.dryRun,
      ],
      ['CREATE', 'ns', 'a', { group: '', version: 'v1', kind: 'ConfigMap' }, 'tester', false],
    )
  },
)

webhookTest(
  'a webhook refuses with its own words, and warns',
  ({ name }) => ({
    allowed: name !== 'bad',
    warnings: ['take care'],
    status: { code: 403, message: 'no such maps' },
  }),
  async ({ api, config }) => {
    await api.create(VALIDATING, hook(config))
    const refused = await failure(api.create('configmaps', map('bad')))
    assert.deepEqual(
      [refused.code, refused.message],
      [403, 'admission webhook "a.hooks.example.com" denied the request: no such maps'],
    )
    const fine = await api.send('create', 'configmaps', { body: map('good') })
    assert.deepEqual((fine as { warnings?: string[] }).warnings, ['take care'])
  },
)

webhookTest(
  'a webhook that is silent fails the request, or does not matter',
  () => undefined,
  async ({ api, config }) => {
    await api.create(VALIDATING, hook(config, { timeoutSeconds: 1 }))
    const failed = await failure(api.create('configmaps', map('a')))
    assert.equal(failed.code, 500)
    assert.match(
      failed.message,
      /^Internal error occurred: failed calling webhook "a\.hooks\.example\.com": failed to call webhook: Post "https:\/\/127\.0\.0\.1:\d+\/hook\?timeout=1s": context deadline exceeded$/,
    )
    const stored = (await api.get(VALIDATING, 'hooks')) as Loose
    const webhooks = structuredClone(stored.webhooks) as unknown as { failurePolicy: string }[]
    webhooks[0]!.failurePolicy = 'Ignore'
    await api.update(VALIDATING, { ...stored, webhooks } as never)
    await api.create('configmaps', map('a'))
  },
)

const selections: [title: string, more: object, name: string, labels: object, asked: boolean][] = [
  [
    'another resource',
    { rules: [{ operations: ['*'], apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments'] }] },
    'a',
    {},
    false,
  ],
  [
    'another operation',
    { rules: [{ operations: ['DELETE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }] },
    'a',
    {},
    false,
  ],
  [
    'everything',
    { rules: [{ operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*'] }] },
    'a',
    {},
    true,
  ],
  ['the namespace of the team', { namespaceSelector: { matchLabels: { team: 'a' } } }, 'a', {}, true],
  ['the namespace of another team', { namespaceSelector: { matchLabels: { team: 'b' } } }, 'a', {}, false],
  [
    'an object with a label',
    { objectSelector: { matchLabels: { look: 'yes' } } },
    'a',
    { look: 'yes' },
    true,
  ],
  ['an object without the label', { objectSelector: { matchLabels: { look: 'yes' } } }, 'a', {}, false],
  [
    'cluster-wide things only',
    {
      rules: [
        { operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*'], scope: 'Cluster' },
      ],
    },
    'a',
    {},
    false,
  ],
  [
    'a condition that holds',
    { matchConditions: [{ name: 'n', expression: "object.metadata.name == 'a'" }] },
    'a',
    {},
    true,
  ],
  [
    'a condition that does not hold',
    { matchConditions: [{ name: 'n', expression: "request.userInfo.username == 'somebody'" }] },
    'a',
    {},
    false,
  ],
]
for (const [title, more, name, labels, isAsked] of selections) {
  webhookTest(
    `a webhook for ${title} is ${isAsked ? '' : 'not '}asked`,
    () => ({ allowed: true }),
    async ({ api, config, asked }) => {
      await api.create(VALIDATING, hook(config, more))
      await api.create('configmaps', map(name, { labels }))
      assert.equal(asked.length > 0, isAsked)
    },
  )
}

webhookTest(
  'a dry run asks only webhooks without side effects',
  () => ({ allowed: true }),
  async ({ api, config, asked }) => {
    const some = { ...hook(config, { sideEffects: 'NoneOnDryRun' }), metadata: { name: 'x' } }
    await api.create(VALIDATING, some)
    await api.create('configmaps', map('a'), { options: { dryRun: ['All'] } })
    assert.equal(asked[0]!.request!.dryRun, true)
  },
)

test('a webhook that presents a foreign certificate is not trusted', async () => {
  const [mine, other] = [
    await webhookServer(() => ({ allowed: true })),
    await webhookServer(() => ({ allowed: true })),
  ]
  try {
    const api = await cluster()
    const { caBundle } = other.config as { caBundle: string }
    await api.create(VALIDATING, hook({ ...mine.config, caBundle }))
    assert.equal((await failure(api.create('configmaps', map('a')))).code, 500)
    assert.equal(mine.asked.length, 0)
  } finally {
    mine.close()
    other.close()
  }
})
