import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodes, pods } from '../../api/resources.ts'
import { forbidden } from '../../api/status-error.ts'
import type { Admission, AdmissionAttributes } from '../admission/admission.ts'
import { parseRequestInfo, type ResourceRequestInfo } from '../http/request-info.ts'
import { admitted } from './admit-connection.ts'

class Gate implements Admission {
  readonly seen: AdmissionAttributes[] = []
  refusal: Error | undefined

  async admit(attributes: AdmissionAttributes): Promise<void> {
    this.seen.push(attributes)
  }

  async validate(): Promise<void> {
    if (this.refusal) throw this.refusal
  }
}

function connection(path: string) {
  const url = new URL(path, 'http://localhost')
  const info = parseRequestInfo('POST', url.pathname, url.searchParams) as ResourceRequestInfo
  return { info, query: url.searchParams, user: { name: 'ada', groups: [] } }
}

test('a webhook sees what is to be run, where and by whom', async () => {
  const gate = new Gate()
  let reached = 0
  const exec = admitted(gate, pods, 'exec', async () => void reached++)
  await exec(
    connection('/api/v1/namespaces/ns/pods/web/exec?command=sh&command=-c&stdin=true&tty=1&container=c'),
  )
  const [{ operation, resource, subresource, namespace, name, object, user } = {} as AdmissionAttributes] =
    gate.seen
  assert.deepEqual(
    [operation, resource.resource, subresource, namespace, name, user.name],
    ['CONNECT', 'pods', 'exec', 'ns', 'web', 'ada'],
  )
  assert.deepEqual(object, {
    apiVersion: 'v1',
    kind: 'PodExecOptions',
    stdin: true,
    tty: true,
    container: 'c',
    command: ['sh', '-c'],
  })
  assert.equal(reached, 1)
})

test('the path behind a proxy is told', async () => {
  const gate = new Gate()
  await admitted(gate, nodes, 'proxy', async () => {})(connection('/api/v1/nodes/n/proxy/stats/summary'))
  assert.deepEqual(gate.seen[0]?.object, {
    apiVersion: 'v1',
    kind: 'NodeProxyOptions',
    path: '/stats/summary',
  })
})

test('what admission refuses reaches nobody', async () => {
  const gate = new Gate()
  gate.refusal = forbidden(pods, 'web', "attaching to pod 'web' is not allowed")
  const attach = admitted(gate, pods, 'attach', async () => assert.fail('reached'))
  await assert.rejects(attach(connection('/api/v1/namespaces/ns/pods/web/attach?stdout=true')), {
    message: /attaching to pod 'web' is not allowed/,
  })
})
