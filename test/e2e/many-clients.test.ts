// What a client does to excess does not stop the others: a thousand watches, and a body of 100 MB.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { after, before, test } from 'node:test'
import { parse } from 'yaml'
import { eventually, TestCluster } from './test-cluster.ts'

const WATCHES = 1_000
const BODY_BYTES = 100 * 1024 * 1024
/** Others wait no longer than this while it lasts. */
const LONGEST_WAIT_MS = 2_000

let cluster: TestCluster
let base: { host: string; port: number; ca: Buffer; cert: Buffer; key: Buffer }

interface Kubeconfig {
  clusters: { cluster: { server: string; 'certificate-authority-data': string } }[]
  users: { user: { 'client-certificate-data': string; 'client-key-data': string } }[]
}

before(async () => {
  cluster = await TestCluster.up()
  const { clusters, users } = parse(readFileSync(cluster.kubeconfig, 'utf8')) as Kubeconfig
  const { hostname, port } = new URL(clusters[0]!.cluster.server)
  const read = (text: string) => Buffer.from(text, 'base64')
  base = {
    host: hostname,
    port: Number(port),
    ca: read(clusters[0]!.cluster['certificate-authority-data']),
    cert: read(users[0]!.user['client-certificate-data']),
    key: read(users[0]!.user['client-key-data']),
  }
})
after(async () => cluster?.[Symbol.asyncDispose]())

/** Milliseconds that a list of Pods takes. */
async function listTakes(agent: Agent): Promise<number> {
  const began = performance.now()
  const response = await answerOf(request({ ...base, agent, path: '/api/v1/namespaces/default/pods' }))
  response.resume()
  await new Promise(resolve => response.once('end', resolve))
  assert.equal(response.statusCode, 200)
  return performance.now() - began
}

function answerOf(outgoing: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once('response', resolve)
    outgoing.once('error', reject)
    outgoing.end()
  })
}

test('a thousand watches see a change, and the others are answered meanwhile', async () => {
  const watching = new Agent({ maxSockets: WATCHES, keepAlive: false })
  const others = new Agent({ keepAlive: true })
  const seen = new Set<number>()
  const path =
    '/api/v1/namespaces/default/configmaps?watch=1&resourceVersion=0&fieldSelector=metadata.name%3Dseen'
  const opened: ClientRequest[] = []
  for (let index = 0; index < WATCHES; index += 50) {
    const some = Array.from({ length: 50 }, () => request({ ...base, agent: watching, path }))
    opened.push(...some)
    const answers = await Promise.all(some.map(answerOf))
    for (const [offset, answer] of answers.entries()) {
      assert.equal(answer.statusCode, 200)
      answer.on('data', (chunk: Buffer) => {
        if (chunk.includes('"ADDED"')) seen.add(index + offset)
      })
      answer.on('error', () => {})
    }
  }
  assert.ok((await listTakes(others)) < LONGEST_WAIT_MS)
  await cluster.kubectl('create configmap seen')
  const slowest = await listTakes(others)
  assert.ok(slowest < LONGEST_WAIT_MS, `a list took ${slowest} ms`)
  await eventually('every watch has seen it', () => seen.size === WATCHES, 15_000)
  for (const one of opened) one.destroy()
  assert.ok((await listTakes(others)) < LONGEST_WAIT_MS)
  others.destroy()
})

test('a body of 100 MB is refused early, and the others are answered meanwhile', async () => {
  const others = new Agent({ keepAlive: true })
  const chunk = Buffer.alloc(64 * 1024, 0x20)
  const headers = { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' }
  const posting = request({
    ...base,
    agent: false,
    method: 'POST',
    path: '/api/v1/namespaces/default/configmaps',
    headers,
  })
  let sent = 0
  let status: number | undefined
  const over = new Promise<void>(resolve => {
    posting.once('response', response => {
      status = response.statusCode
      response.resume()
      resolve()
    })
    // The server does not read on: the connection may break under what is still sent.
    posting.once('error', () => resolve())
  })
  const write = () => {
    while (sent < BODY_BYTES && !posting.destroyed && status === undefined) {
      sent += chunk.length
      if (!posting.write(chunk)) return
    }
    posting.end()
  }
  posting.on('drain', write)
  write()
  const waits = [await listTakes(others), await listTakes(others)]
  await over
  assert.ok(status === 413 || status === undefined, `answered ${status}`)
  assert.ok(sent < BODY_BYTES, 'the whole body was taken')
  assert.ok(Math.max(...waits) < LONGEST_WAIT_MS)
  posting.destroy()
  others.destroy()
})
