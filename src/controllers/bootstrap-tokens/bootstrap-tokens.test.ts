// Bootstrap tokens over the real API server: what they sign, and when they go.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Draft } from '../../api/kube-object.ts'
import { configMaps, secrets } from '../../api/resources.ts'
import type { Secret } from '../../api/types/core-v1.ts'
import { ControlWorld } from '../testing/control-world.fixture.ts'
import { runBootstrapSigner } from './bootstrap-signer.ts'
import { detachedSignature, signedData } from './signature.ts'
import { runTokenCleaner } from './token-cleaner.ts'

const INFO = { name: 'cluster-info', namespace: 'kube-public' }

async function start() {
  const world = await ControlWorld.create()
  const { client, clock, log } = world
  world.start(signal => runBootstrapSigner({ client, clock, log }, signal))
  world.start(signal => runTokenCleaner({ client, clock, log }, signal))
  const inSeconds = (seconds: number) => new Date(clock.now() + seconds * 1_000).toISOString()
  const token = (id: string, more: Record<string, string> = {}) =>
    client.create<Secret>(secrets, {
      metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system' },
      type: 'bootstrap.kubernetes.io/token',
      stringData: {
        'token-id': id,
        'token-secret': '0123456789abcdef',
        'usage-bootstrap-signing': 'true',
        ...more,
      },
    } as Draft<Secret>)
  const info = async () => (await client.get(configMaps, INFO)).data
  return { world, client, inSeconds, token, info }
}

test('a signature is what others make of the same words', () => {
  assert.equal(
    detachedSignature('Hello from the other side. I must have called a thousand times.', {
      id: 'joshua',
      secret: 'my voice is my passcode',
    }),
    'eyJhbGciOiJIUzI1NiIsImtpZCI6Impvc2h1YSJ9..VShe2taLd-YTrmWuRkcL_8QTNDHYxQIEBsAYYiIj1_8',
  )
})

test('what is signed already is left alone, and nothing is signed that is not there', () => {
  const tokens = [{ id: 'abcdef', secret: '0123456789abcdef' }]
  const signed = signedData({ kubeconfig: 'here', more: 'kept' }, tokens)!
  assert.deepEqual(Object.keys(signed), ['kubeconfig', 'more', 'jws-kubeconfig-abcdef'])
  assert.equal(signedData(signed, tokens), undefined)
  assert.deepEqual(signedData(signed, []), { kubeconfig: 'here', more: 'kept' })
  assert.equal(signedData({ more: 'kept' }, tokens), undefined)
})

test('cluster-info carries a signature of each token as long as the token is good', async () => {
  const { world, client, token, info, inSeconds } = await start()
  await using _ = world
  await client.create(configMaps, { metadata: INFO, data: { kubeconfig: 'here' } })
  await token('aaaaaa')
  await token('bbbbbb', { expiration: inSeconds(60) })
  await token('cccccc', { 'usage-bootstrap-signing': 'false' })
  await world.advance(1_000)
  assert.deepEqual(Object.keys((await info())!).sort(), [
    'jws-kubeconfig-aaaaaa',
    'jws-kubeconfig-bbbbbb',
    'kubeconfig',
  ])
  await world.advance(60_000)
  assert.deepEqual(Object.keys((await info())!).sort(), ['jws-kubeconfig-aaaaaa', 'kubeconfig'])
  await client.delete(secrets, { name: 'bootstrap-token-aaaaaa', namespace: 'kube-system' })
  await world.advance(1_000)
  assert.deepEqual(await info(), { kubeconfig: 'here' })
})

test('a token goes at its end, and one without an end stays', async () => {
  const { world, client, token, inSeconds } = await start()
  await using _ = world
  await token('aaaaaa')
  await token('bbbbbb', { expiration: inSeconds(60) })
  const names = async () =>
    (await client.list(secrets, { namespace: 'kube-system' })).items.map(({ metadata }) => metadata.name)
  await world.advance(59_000)
  assert.equal((await names()).length, 2)
  await world.advance(1_000)
  assert.deepEqual(await names(), ['bootstrap-token-aaaaaa'])
})
